import { type AnswerParts, type AnswerReader, type AnswerReaderOptions } from '../answer-reader.ts';
import { type ToolCall } from '../conversation.ts';
import { TextStream } from '../text-stream.ts';
import { type Tokenizer } from '../tokenizer.ts';
import { parsePythonJson, pythonJson } from './python-json.ts';

const MARKERS = ['[TOOL_CALLS]', '[CALL_ID]', '[ARGS]'] as const;
type Marker = (typeof MARKERS)[number];

/** A marker that the model wrote, and the text after it. */
interface Segment {
  readonly marker: Marker;
  text: string;
}

const NOTHING: AnswerParts = { text: '', calls: [] };
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const CALL_ID = /^[a-zA-Z0-9]{9}$/;

/**
 * Reads the calls of Mistral's models: one JSON list after [TOOL_CALLS] (v2 to v7), or for each call [TOOL_CALLS], its name, perhaps
 * [CALL_ID] and its id, [ARGS] and its arguments (from v11). What is no whole call, such as one that the limit of tokens cut off, is
 * text as the model wrote it: no program should run half a call.
 */
export class CallReader implements AnswerReader {
  readonly #tokenizer: Tokenizer;
  readonly #newCallId: () => string;
  readonly #markers: ReadonlyMap<number, Marker>;
  #stream: TextStream;
  #characters = 0;
  /** Since the last [TOOL_CALLS]; null before the first. */
  #segments: Segment[] | null = null;

  constructor(tokenizer: Tokenizer, { newCallId }: AnswerReaderOptions) {
    this.#tokenizer = tokenizer;
    this.#newCallId = newCallId;
    this.#markers = new Map(MARKERS.flatMap((marker) => {
      const token = tokenizer.specialToken(marker);
      return token === null ? [] : [[token.id, marker] as const];
    }));
    this.#stream = new TextStream(tokenizer);
  }

  get characterCount(): number {
    return this.#characters;
  }

  push(id: number): AnswerParts {
    return this.#count(this.#push(id));
  }

  flush(): AnswerParts {
    const rest = this.#take(this.#stream.flush());
    const ended = this.#end();
    return this.#count({ text: rest.text + ended.text, calls: ended.calls });
  }

  #push(id: number): AnswerParts {
    const marker = this.#markers.get(id);
    if (marker === undefined) return this.#take(this.#stream.push(id));
    const rest = this.#take(this.#stream.flush());
    this.#stream = new TextStream(this.#tokenizer);
    if (marker === '[TOOL_CALLS]') {
      const ended = this.#end();
      this.#segments = [{ marker, text: '' }];
      return { text: rest.text + ended.text, calls: ended.calls };
    }
    this.#segments?.push({ marker, text: '' });
    return rest;
  }

  #count(parts: AnswerParts): AnswerParts {
    for (const _character of parts.text) this.#characters++;
    return parts;
  }

  #take(text: string): AnswerParts {
    const segment = this.#segments?.at(-1);
    if (segment === undefined) return text === '' ? NOTHING : { text, calls: [] };
    segment.text += text;
    return NOTHING;
  }

  #end(): AnswerParts {
    if (this.#segments === null) return NOTHING;
    const segments = this.#segments;
    this.#segments = null;
    const calls = callsIn(segments);
    if (calls === null) return { text: segments.map(({ marker, text }) => marker + text).join(''), calls: [] };
    return { text: '', calls: calls.map(({ id, ...call }) => ({ id: id !== undefined && CALL_ID.test(id) ? id : this.#newCallId(), ...call })) };
  }
}

type FoundCall = Omit<ToolCall, 'id'> & { readonly id: string | undefined };

/** Null unless all of it is whole calls. */
function callsIn(segments: readonly Segment[]): FoundCall[] | null {
  const textAfter = (wanted: Marker): string | undefined => segments.find(({ marker }) => marker === wanted)?.text.trim();
  const [first, text] = [textAfter('[TOOL_CALLS]')!, textAfter('[ARGS]')];
  if (text === undefined) return callsInList(first);
  return NAME.test(first) && isObject(parsePythonJson(text)) ? [{ id: textAfter('[CALL_ID]'), name: first, arguments: text }] : null;
}

function callsInList(text: string): FoundCall[] | null {
  const list = parsePythonJson(text);
  if (!Array.isArray(list) || list.length === 0) return null;
  const calls: FoundCall[] = [];
  for (const each of list as unknown[]) {
    const { id, name, arguments: given } = isObject(each) ? each : {};
    if (typeof name !== 'string' || !NAME.test(name) || !isObject(given)) return null;
    calls.push({ id: typeof id === 'string' ? id : undefined, name, arguments: pythonJson(given) });
  }
  return calls;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
