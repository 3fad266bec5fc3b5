export { type ChatMessage, type ChatTemplate, createChatTemplate, joinContents } from './chat-template.ts';
export { StopScanner, type Scanned } from './stop-scanner.ts';
export { TextStream } from './text-stream.ts';
export { createTokenizer, type SpecialToken, type Tokenizer, type TokenizerFiles } from './tokenizer.ts';
