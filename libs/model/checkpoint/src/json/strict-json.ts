/** What ends, opens or separates in a JSON text. One character each, so that no text makes the expression look back. */
const MARKS = /\\.|["{}:]/gs;

/**
 * `JSON.parse` that refuses an object with a key twice, of which it would silently keep the last: two readers of one file must not
 * see two models. Throws a SyntaxError.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  refuseDuplicateKeys(text);
  return value;
}

/** Of a text that is known to be valid. A string before a colon is a key of the innermost object that is open. */
function refuseDuplicateKeys(text: string): void {
  const open: Set<string>[] = [];
  let stringStart: number | null = null;
  let lastString = '""';
  for (const { 0: mark, index } of text.matchAll(MARKS)) {
    if (mark === '"' && stringStart !== null) {
      lastString = text.slice(stringStart, index + 1);
      stringStart = null;
    } else if (stringStart !== null) continue;
    else if (mark === '"') stringStart = index;
    else if (mark === '{') open.push(new Set());
    else if (mark === '}') open.pop();
    else addKey(open.at(-1)!, JSON.parse(lastString) as string);
  }
}

function addKey(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} occurs twice in one object`);
  keys.add(key);
}
