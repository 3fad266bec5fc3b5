export { type ChatMessage, type ChatTemplate, createChatTemplate, joinContents } from './hugging-face/chat-template.ts';
export { StopScanner, type Scanned } from './stop-scanner.ts';
export { TextStream } from './text-stream.ts';
export { createTokenizer, type TokenizerFiles } from './hugging-face/tokenizer.ts';
export { type PromptPiece, type SpecialToken, type Tokenizer } from './tokenizer.ts';
