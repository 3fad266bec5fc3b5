import { type Automaton, type ByteEdge, END, type Position } from './automaton.ts';
import { type Characters } from './characters.ts';
import { withoutDeadEnds } from './dead-ends.ts';
import { type Expression, type Grammar } from './expression.ts';
import { refuseLeftRecursion } from './left-recursion.ts';
import { refusal } from './refusal.ts';
import { utf8Ranges } from './utf8-ranges.ts';

/** Of one grammar; a position takes about 100 bytes. */
const POSITIONS = 100_000;
/** The last character that is one byte. */
const LAST_BYTE = 0x7f;
/** Of trees: beyond it a parser of the same tree could fail first. */
const DEPTH = 1_000;

/** Fails with `invalid_argument` for a grammar that is too large, or in which a rule begins with itself. */
export function compileGrammar({ root, rules }: Grammar): Automaton {
  const builder = new Builder();
  const starts = rules.map(() => builder.reserve());
  rules.forEach(({ body }, rule) => builder.define(starts[rule]!, body));
  const start = builder.build(root, END);
  const named = builder.setStarts(starts);
  refuseLeftRecursion(builder.positions, named, (rule) => rules[rule]?.name ?? 'root');
  return { positions: withoutDeadEnds(builder.positions, named), start, starts: named, ...byteClasses(builder.positions), tokenIds: [...builder.tokenIds] };
}

/** Builds from behind: what a part leads to is known when it is built. */
class Builder {
  readonly positions: Position[] = [{ kind: 'end' }];
  readonly tokenIds = new Set<number>();
  /** Rules for sets of characters of more than one byte, and for what repeats: both are many times in a grammar. */
  readonly #shared: number[] = [];
  readonly #sets = new Map<string, number>();
  #depth = 0;

  /** A position that is defined later. */
  reserve(): number {
    return this.#add({ kind: 'split', to: [] });
  }

  define(place: number, body: Expression): void {
    this.positions[place] = { kind: 'split', to: [this.build(body, END)] };
  }

  /** Shared rules come behind the grammar's own, in the numbers that calls have. */
  setStarts(starts: readonly number[]): number[] {
    const first = starts.length;
    this.positions.forEach((position, place) => {
      if (position.kind === 'call' && position.rule < 0) this.positions[place] = { ...position, rule: first - 1 - position.rule };
    });
    return [...starts, ...this.#shared];
  }

  build(expression: Expression, to: number): number {
    if (++this.#depth > DEPTH) throw refusal(`a grammar of this answer is nested more than ${DEPTH} deep: simplify it`);
    try {
      return this.#build(expression, to);
    } finally {
      this.#depth--;
    }
  }

  #build(expression: Expression, to: number): number {
    switch (expression.kind) {
      case 'characters':
        return this.#characters(expression.set, to);
      case 'text':
        return [...utf8.encode(expression.text)].reduceRight((next, byte) => this.#add({ kind: 'bytes', edges: [{ low: byte, high: byte, to: next }] }), to);
      case 'token':
        this.tokenIds.add(expression.id);
        return this.#add({ kind: 'token', id: expression.id, to });
      case 'sequence':
        return expression.parts.reduceRight((next, part) => this.build(part, next), to);
      case 'choice':
        return this.#add({ kind: 'split', to: expression.options.map((option) => this.build(option, to)) });
      case 'repeat':
        return this.#repeat(expression, to);
      case 'rule':
        return this.#add({ kind: 'call', rule: expression.rule, to });
    }
  }

  #repeat({ item, min, max }: Extract<Expression, { kind: 'repeat' }>, to: number): number {
    const once = min + (max === null ? 1 : max - min) > 1 ? this.#repeatable(item) : item;
    let next = to;
    if (max === null) {
      next = this.reserve();
      this.positions[next] = { kind: 'split', to: [this.build(once, next), to] };
    } else {
      // Whoever leaves early leaves for good, so that a place among the copies has two ways and not as many as copies follow.
      for (let copy = max; copy > min; copy--) next = this.#add({ kind: 'split', to: [this.build(once, next), to] });
    }
    for (let copy = 0; copy < min; copy++) next = this.build(once, next);
    return next;
  }

  /** What is copied is small: the rest becomes a rule. */
  #repeatable(item: Expression): Expression {
    if (item.kind === 'rule' || item.kind === 'token' || item.kind === 'characters') return item;
    return { kind: 'rule', rule: this.#share(this.build(item, END)) };
  }

  #characters(set: Characters, to: number): number {
    const short = set.filter(([from]) => from <= LAST_BYTE).map(([low, high]) => ({ low, high: Math.min(high, LAST_BYTE), to }));
    const long = set.filter(([, last]) => last > LAST_BYTE).map(([from, last]) => [Math.max(from, LAST_BYTE + 1), last] as const);
    const bytes = this.#add({ kind: 'bytes', edges: short });
    return long.length === 0 ? bytes : this.#add({ kind: 'split', to: [bytes, this.#add({ kind: 'call', rule: this.#ruleOf(long), to })] });
  }

  /** Sets that differ in ASCII alone, as most do, share what they have beyond. */
  #ruleOf(set: Characters): number {
    const key = set.join(' ');
    let rule = this.#sets.get(key);
    if (rule === undefined) this.#sets.set(key, rule = this.#share(this.#manyBytes(set)));
    return rule;
  }

  #manyBytes(set: Characters): number {
    const edges = set.flatMap(([from, to]) => utf8Ranges(from, to)).map(([[low, high] = [0, 0], ...rest]): ByteEdge => ({
      low, high, to: rest.reduceRight((next, [first, last]) => this.#add({ kind: 'bytes', edges: [{ low: first, high: last, to: next }] }), END),
    }));
    return this.#add({ kind: 'bytes', edges });
  }

  /** Negative until it is known how many rules the grammar has of its own. */
  #share(start: number): number {
    return -this.#shared.push(start);
  }

  #add(position: Position): number {
    if (this.positions.length >= POSITIONS) throw refusal(`a grammar of this answer has more than ${POSITIONS} places: simplify it, or lower its counts of repetitions and lengths`);
    return this.positions.push(position) - 1;
  }
}

const utf8 = new TextEncoder();

function byteClasses(positions: readonly Position[]): Pick<Automaton, 'classOf' | 'byteOf'> {
  const begins = new Uint8Array(257);
  begins[0] = 1;
  for (const position of positions) {
    if (position.kind !== 'bytes') continue;
    for (const { low, high } of position.edges) begins[low] = begins[high + 1] = 1;
  }
  const byteOf: number[] = [];
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => (begins[byte] === 1 ? byteOf.push(byte) : byteOf.length) - 1);
  return { classOf, byteOf };
}
