/** How Mistral's models were taught to read a conversation, by the version of their tokenizer (mistral-common's `InstructTokenizerV1` to `V15`). */
export const INSTRUCT_VERSIONS = ['v1', 'v2', 'v3', 'v7', 'v11', 'v13', 'v15'] as const;
export type InstructVersion = (typeof INSTRUCT_VERSIONS)[number];

export interface InstructFormat {
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

/** v2 forgets calls and results of former turns: all before the last user's message. */
const V2: InstructFormat = { system: 'last user', tools: 'last user', calls: 'list', results: 'json with name', sortsResults: false, trimsAnswers: true };
const V3: InstructFormat = { ...V2, calls: 'list with ids', results: 'json with id' };
const V7: InstructFormat = { ...V3, system: 'own tokens', results: 'text with id' };
const V11: InstructFormat = { ...V7, calls: 'tokens with ids', sortsResults: true };
const V13: InstructFormat = { ...V11, tools: 'first user', calls: 'tokens', results: 'text' };

export const INSTRUCT_FORMATS: Readonly<Record<InstructVersion, InstructFormat>> = {
  v1: { ...V2, system: 'first user', tools: null, trimsAnswers: false },
  v2: V2, v3: V3, v7: V7, v11: V11, v13: V13, v15: V13,
};
