/** Unicode scalar values as ranges, both ends included: sorted, disjoint and without surrogates. */
export type Characters = readonly (readonly [from: number, to: number])[];

const LAST = 0x10ffff;
const SURROGATES = { from: 0xd800, to: 0xdfff };

/** Of ranges in any order. */
export function characters(ranges: Iterable<readonly [from: number, to: number]>): Characters {
  const sorted = [...ranges].flatMap(withoutSurrogates).sort((left, right) => left[0] - right[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function withoutSurrogates([from, to]: readonly [number, number]): [number, number][] {
  const below: [number, number] = [from, Math.min(to, SURROGATES.from - 1)];
  const above: [number, number] = [Math.max(from, SURROGATES.to + 1), Math.min(to, LAST)];
  return [below, above].filter(([first, last]) => first <= last);
}

/** Every character of a text. */
export const charactersOf = (text: string): Characters => characters(Array.from(text, (character): [number, number] => [character.codePointAt(0)!, character.codePointAt(0)!]));

export function allBut(set: Characters): Characters {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return characters(gaps);
}

export const union = (...sets: readonly Characters[]): Characters => characters(sets.flat());

export function intersection(left: Characters, right: Characters): Characters {
  const shared: [number, number][] = [];
  for (let [mine, theirs] = [0, 0]; mine < left.length && theirs < right.length; ) {
    const [from, to] = [Math.max(left[mine]![0], right[theirs]![0]), Math.min(left[mine]![1], right[theirs]![1])];
    if (from <= to) shared.push([from, to]);
    if (left[mine]![1] < right[theirs]![1]) mine++;
    else theirs++;
  }
  return shared;
}

export const ANY_CHARACTER: Characters = allBut([]);
