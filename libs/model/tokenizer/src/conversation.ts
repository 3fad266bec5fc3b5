/** A call of a tool, as a model asks for it. */
export interface ToolCall {
  /** Nine letters and digits where this package made it. */
  readonly id: string;
  readonly name: string;
  /** JSON text of an object, as the model wrote it. */
  readonly arguments: string;
}

/** A tool that a model may ask for. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: object;
}

export type ChatMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string }
  | {
    readonly role: 'assistant';
    /** Empty where it only calls tools. */
    readonly content: string;
    readonly toolCalls?: readonly ToolCall[];
    /** The answer begins with this content; only the last message may be such a beginning. */
    readonly continued?: boolean;
  }
  | { readonly role: 'tool'; readonly content: string; /** The call that it answers. */ readonly toolCallId: string; readonly name?: string };

export type MessageOf<Role extends ChatMessage['role']> = Extract<ChatMessage, { readonly role: Role }>;

/** What is asked of a chat model. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  /** How much to think before the answer, in the model's own words; null for the model's default. */
  readonly reasoningEffort: string | null;
}
