import { type TextFolder } from '@essaim/tokenizer';

/** A checkpoint's folder that holds these files. */
export const memoryFolder = (files: Readonly<Record<string, Uint8Array>>): TextFolder => ({
  directory: '/models/golden',
  readText: (name) => Promise.resolve(name in files ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(files[name]) : null),
  open: (name) => Promise.resolve(name in files ? { sizeBytes: files[name]!.length, read: (offset, length) => Promise.resolve(files[name]!.slice(offset, offset + length)) } : null),
});
