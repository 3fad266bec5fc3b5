import { type Position } from './automaton.ts';

/** The same positions without ways from which no end can be reached, so that whoever follows the rest always finds one. */
export function withoutDeadEnds(positions: readonly Position[], starts: readonly number[]): Position[] {
  const leads = leadingToEnd(positions, starts);
  return positions.map((position, place): Position => {
    if (position.kind === 'split') return { kind: 'split', to: position.to.filter((to) => leads[to] === 1) };
    if (position.kind === 'bytes') return { kind: 'bytes', edges: position.edges.filter(({ to }) => leads[to] === 1) };
    return leads[place] === 1 ? position : { kind: 'split', to: [] };
  });
}

/** 1 for each position from which the end of its rule can be reached. */
function leadingToEnd(positions: readonly Position[], starts: readonly number[]): Uint8Array {
  const leads = new Uint8Array(positions.length);
  const before = waysBack(positions, starts);
  const open = positions.flatMap(({ kind }, place) => (kind === 'end' ? [place] : []));
  for (const place of open) leads[place] = 1;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    for (const from of before[place]!) {
      const position = positions[from]!;
      // A call leads on only where the rule has an end too.
      const isThrough = position.kind !== 'call' || (leads[position.to] === 1 && leads[starts[position.rule]!] === 1);
      if (leads[from] === 1 || !isThrough) continue;
      leads[from] = 1;
      open.push(from);
    }
  }
  return leads;
}

/** Which positions lead to each, or into the rule that begins there. */
function waysBack(positions: readonly Position[], starts: readonly number[]): readonly number[][] {
  const before: number[][] = positions.map(() => []);
  positions.forEach((position, place) => {
    if (position.kind === 'split') for (const to of position.to) before[to]!.push(place);
    if (position.kind === 'bytes') for (const { to } of position.edges) before[to]!.push(place);
    if (position.kind === 'token' || position.kind === 'call') before[position.to]!.push(place);
    if (position.kind === 'call') before[starts[position.rule]!]!.push(place);
  });
  return before;
}
