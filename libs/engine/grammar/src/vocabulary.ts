import { PLAIN_LENGTH, plainLength } from './plain-text.ts';

/** What a model's tokens say, laid out for finding those that may follow. Arrays alone, so that a thread can make it for another. */
export interface Vocabulary {
  /** Every token that has a text. */
  readonly all: TokenTree;
  /** Those that are not plain. */
  readonly special: TokenTree;
  /** Ids of those that are, shorter ones first: wherever any plain text may follow, all of them may. */
  readonly plain: Int32Array;
  /** How many of these have at most so many characters, for 0 to `PLAIN_LENGTH`. */
  readonly plainCounts: Int32Array;
}

/**
 * Texts of tokens as a tree of bytes, in the order of a walk from its root: node k has its byte, its depth from 1, the first node behind its
 * branch, the node above it (-1 for the root), and the token that ends there, or -1.
 */
export interface TokenTree {
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly parents: Int32Array;
  readonly tokens: Int32Array;
  /** The node of each token; -1 for one that is not in the tree. */
  readonly nodes: Int32Array;
  readonly longest: number;
}

/** @param textOf of each id, the bytes of its text; empty where the token is none, such as the end of an answer */
export function buildVocabulary(textOf: readonly Uint8Array[]): Vocabulary {
  const ids = textOf.flatMap((text, id) => (text.length > 0 ? [id] : [])).sort((left, right) => compare(textOf[left]!, textOf[right]!));
  const lengths = new Map(ids.map((id) => [id, plainLength(textOf[id]!)]));
  const special = ids.filter((id) => lengths.get(id) === null);
  const plain = ids.filter((id) => lengths.get(id) !== null).sort((left, right) => lengths.get(left)! - lengths.get(right)!);
  const plainCounts = new Int32Array(PLAIN_LENGTH + 1);
  for (const id of plain) plainCounts[lengths.get(id)!]!++;
  for (let length = 1; length <= PLAIN_LENGTH; length++) plainCounts[length]! += plainCounts[length - 1]!;
  return { all: buildTree(ids, textOf), special: buildTree(special, textOf), plain: Int32Array.from(plain), plainCounts };
}

/** Of `ids` in the order of their texts. */
function buildTree(ids: readonly number[], textOf: readonly Uint8Array[]): TokenTree {
  const most = ids.reduce((sum, id) => sum + textOf[id]!.length, 0);
  const [bytes, depths, parents, tokens] = [new Uint8Array(most), new Uint16Array(most), new Int32Array(most), new Int32Array(most).fill(-1)];
  const nodes = new Int32Array(textOf.length).fill(-1);
  /** The node on the way to the present one, by depth. */
  const path = [-1];
  let count = 0;
  let before: Uint8Array = new Uint8Array();
  for (const id of ids) {
    const text = textOf[id]!;
    // Of tokens with the same text each has a last node of its own.
    const shared = Math.min(sharedLength(before, text), text.length - 1);
    for (let place = shared; place < text.length; place++, count++) {
      bytes[count] = text[place]!;
      depths[count] = place + 1;
      parents[count] = path[place]!;
      path[place + 1] = count;
    }
    nodes[id] = count - 1;
    tokens[count - 1] = id;
    before = text;
  }
  const longest = ids.reduce((length, id) => Math.max(length, textOf[id]!.length), 0);
  return { bytes: bytes.slice(0, count), depths: depths.slice(0, count), ends: endsOf(depths, count), parents: parents.slice(0, count), tokens: tokens.slice(0, count), nodes, longest };
}

function endsOf(depths: Uint16Array, count: number): Int32Array {
  const ends = new Int32Array(count);
  const open: number[] = [];
  for (let node = 0; node <= count; node++) {
    const depth = node < count ? depths[node]! : 0;
    while (open.length > 0 && depths[open.at(-1)!]! >= depth) ends[open.pop()!] = node;
    open.push(node);
  }
  return ends;
}

function sharedLength(left: Uint8Array, right: Uint8Array): number {
  let length = 0;
  while (length < left.length && length < right.length && left[length] === right[length]) length++;
  return length;
}

function compare(left: Uint8Array, right: Uint8Array): number {
  const length = sharedLength(left, right);
  return (left[length] ?? -1) - (right[length] ?? -1);
}
