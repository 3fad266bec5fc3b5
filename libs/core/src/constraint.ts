/**
 * What an answer must be, from its first token to its last: a schema, a pattern, a grammar, or a structure of them. Texts are Unicode;
 * whoever compiles it says which schemas, patterns and grammars there are. Together they have at most LIMITS.constraintChars.
 */
export type Constraint =
  /** Any JSON object. */
  | { readonly kind: 'json object' }
  /** A JSON value that is valid against the schema, which is itself JSON text. */
  | { readonly kind: 'json schema'; readonly schema: string }
  /** A text that the whole pattern matches. */
  | { readonly kind: 'regex'; readonly pattern: string }
  /** A text of the rule `root` of a grammar in EBNF. */
  | { readonly kind: 'grammar'; readonly ebnf: string }
  | { readonly kind: 'text'; readonly text: string }
  /** A token that is no text, such as one that begins the call of a tool. */
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'sequence'; readonly parts: readonly Constraint[] }
  | { readonly kind: 'choice'; readonly options: readonly Constraint[] }
  /** One after the other, as many as `min` to `max` say. */
  | { readonly kind: 'repeat'; readonly item: Constraint; readonly min: number; readonly max: number };
