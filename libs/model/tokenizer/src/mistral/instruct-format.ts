/** How Mistral's models were taught to read a conversation, by the version of their tokenizer (mistral-common's `InstructTokenizerV1` to `V15`). */
export const INSTRUCT_VERSIONS = ['v1', 'v2', 'v3', 'v7', 'v11', 'v13', 'v15'] as const;
export type InstructVersion = (typeof INSTRUCT_VERSIONS)[number];

export interface InstructFormat {
  /** Without which no conversation can be written. */
  readonly tokens: readonly string[];
  /** Where the system's words stand: at the head of a user's message, or between tokens of their own. */
  readonly system: 'first user' | 'last user' | 'own tokens';
  /** Before which user's message tools and settings are told; null where the model knows no tools. */
  readonly tools: 'first user' | 'last user' | null;
  /** Calls as one JSON list, with or without ids in it, or each with its name, perhaps its id, and its arguments between tokens. */
  readonly calls: 'list' | 'list with ids' | 'tokens with ids' | 'tokens';
  /** Results as JSON, under their call's name or id, or as they are. */
  readonly results: 'json with name' | 'json with id' | 'text with id' | 'text';
  /** Results in the order of the calls that they answer. */
  readonly sortsResults: boolean;
  /** Spaces at the end of an assistant's words are left out. */
  readonly trimsAnswers: boolean;
}

const V1: InstructFormat = { tokens: ['<s>', '</s>'], system: 'first user', tools: null, calls: 'list', results: 'json with name', sortsResults: false, trimsAnswers: false };
/** It forgets calls and results of former turns: all before the last user's message. */
const V2: InstructFormat = {
  ...V1, system: 'last user', tools: 'last user', trimsAnswers: true,
  tokens: [...V1.tokens, '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_CALLS]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]'],
};
const V3: InstructFormat = { ...V2, calls: 'list with ids', results: 'json with id' };
const V7: InstructFormat = { ...V3, system: 'own tokens', results: 'text with id', tokens: [...V3.tokens, '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]'] };
const V11: InstructFormat = { ...V7, calls: 'tokens with ids', sortsResults: true, tokens: [...V7.tokens, '[ARGS]', '[CALL_ID]'] };
const V13: InstructFormat = { ...V11, tools: 'first user', calls: 'tokens', results: 'text' };
const V15: InstructFormat = { ...V13, tokens: [...V13.tokens, '[MODEL_SETTINGS]', '[/MODEL_SETTINGS]'] };

export const INSTRUCT_FORMATS: Readonly<Record<InstructVersion, InstructFormat>> = { v1: V1, v2: V2, v3: V3, v7: V7, v11: V11, v13: V13, v15: V15 };
