/** Strings, with the colon where one is a key, and the braces that say whose key it is. All else of a valid JSON text is of no interest here. */
const KEYS_AND_BRACES = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

/**
 * `JSON.parse` that refuses an object with a key twice, of which it would silently keep the last: two readers of one file must not
 * see two models. Throws a SyntaxError.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  refuseDuplicateKeys(text);
  return value;
}

function refuseDuplicateKeys(text: string): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(KEYS_AND_BRACES)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) addKey(open.at(-1)!, JSON.parse(token.slice(0, -colon.length)) as string);
  }
}

function addKey(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} occurs twice in one object`);
  keys.add(key);
}
