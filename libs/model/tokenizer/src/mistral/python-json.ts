/**
 * JSON as Python's `json.dumps(value, ensure_ascii=False)` writes it: Mistral's models saw tools and calls in this form, with a space after
 * commas and colons. Keys that look like whole numbers come first, as in every JavaScript object.
 */
export function pythonJson(value: unknown): string {
  if (value instanceof SourceNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, each]) => `${pythonString(key)}: ${pythonJson(each)}`).join(', ')}}`;
  if (typeof value === 'string') return pythonString(value);
  return String(value);
}

/** The value of a JSON text, for `pythonJson`; undefined for what is no JSON. */
export function parsePythonJson(text: string): unknown {
  try {
    return (JSON.parse as ParseWithSource)(text, (_, value, { source }) => (typeof value === 'number' ? new SourceNumber(source!) : value));
  } catch {
    return undefined;
  }
}

/** 1.0 and long whole numbers would not survive as JavaScript's numbers. */
class SourceNumber {
  readonly text: string;

  constructor(source: string) {
    this.text = /[.e]/i.test(source) ? pythonFloat(Number(source)) : String(BigInt(source));
  }
}

/** Of TC39's "JSON.parse source text access", which TypeScript's library does not know yet. */
type ParseWithSource = (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown;

/** `repr` of a float: the shortest digits as in JavaScript, with an exponent from 1e16 on and below 1e-4, of two digits at least. */
function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** JSON.stringify escapes the same characters, but for lone surrogates, which no well-formed text has. */
const pythonString = (text: string): string => JSON.stringify(text.toWellFormed());
