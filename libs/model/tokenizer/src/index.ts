export { type AnswerParts, type AnswerReader, type AnswerReaderOptions, TextReader, toolCallId } from './answer-reader.ts';
export { type ChatTemplate, joinContents } from './chat-template.ts';
export { type ChatMessage, type Conversation, type ToolCall, type ToolDefinition } from './conversation.ts';
export { createChatTemplate } from './hugging-face/chat-template.ts';
export { createTokenizer, type TokenizerFiles } from './hugging-face/tokenizer.ts';
export { StopScanner, type Scanned } from './stop-scanner.ts';
export { readTextModel, type TextFolder, type TextModel } from './text-model.ts';
export { TextStream } from './text-stream.ts';
export { type PromptPiece, type SpecialToken, type Tokenizer } from './tokenizer.ts';
