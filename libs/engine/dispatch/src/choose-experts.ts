import { type Router } from '@essaim/core';

/** Experts whose ranks make that of their group. */
const GROUP_BEST = 2;

/** Fills `chosen` with the places of the highest ranks, best first, the lower place among equals. Of ranks that are NaN any are chosen, none twice. */
export function chooseBest(ranks: Float32Array, chosen: Uint32Array): void {
  for (let index = 0; index < ranks.length; index++) {
    let place = Math.min(index, chosen.length);
    for (; place > 0 && ranks[index]! > ranks[chosen[place - 1]!]!; place--) {
      if (place < chosen.length) chosen[place] = chosen[place - 1]!;
    }
    if (place < chosen.length) chosen[place] = index;
  }
}

/** Experts of all but the best groups get the rank -Infinity, in place. A group is as good as the sum of its best two. */
export function dropGroups(ranks: Float32Array, { groupCount, groupsPerToken }: Pick<Router, 'groupCount' | 'groupsPerToken'>): void {
  const size = ranks.length / groupCount;
  const groups = Array.from({ length: groupCount }, (_, group) => ranks.subarray(group * size, (group + 1) * size));
  const best = new Uint32Array(Math.min(GROUP_BEST, size));
  const groupRanks = Float32Array.from(groups, (group) => {
    chooseBest(group, best);
    return best.reduce((sum, expert) => sum + group[expert]!, 0);
  });
  const kept = new Uint32Array(groupsPerToken);
  chooseBest(groupRanks, kept);
  groups.forEach((group, nth) => {
    if (!kept.includes(nth)) group.fill(-Infinity);
  });
}
