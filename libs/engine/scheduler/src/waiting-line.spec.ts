import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, OVERTAKERS_PER_STEP, type Place, WaitingLine } from './waiting-line.ts';

const places = fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 60 }).map((priorities) => priorities.map((priority, arrival): Place<number> => ({ sequence: arrival, priority, arrival, preemptions: 0 })));

function drain(line: WaitingLine<number>): number[] {
  const order: number[] = [];
  for (let first = line.first; first !== undefined; first = line.first) {
    order.push(first.sequence);
    line.leave(first.sequence);
  }
  return order;
}

describe('a waiting line', () => {
  it('is by priority, and by arrival among equals, whoever leaves it or comes back to it', () => {
    fc.assert(fc.property(places, fc.array(fc.nat(59)), (all, leaving) => {
      const line = new WaitingLine<number>();
      for (const place of all) line.enter(place);
      for (const sequence of leaving) line.leave(sequence);
      const [back, gone] = [leaving.filter((_, nth) => nth % 2 === 0), new Set(leaving)];
      for (const sequence of new Set(back)) if (all[sequence] !== undefined) line.enter(all[sequence]);
      const here = all.filter(({ sequence }) => !gone.has(sequence) || back.includes(sequence));
      expect(line.size).toBe(here.length);
      expect(drain(line)).toEqual(here.toSorted((one, other) => one.priority - other.priority || one.arrival - other.arrival).map(({ sequence }) => sequence));
    }));
  });

  it('is never overtaken by more than a bounded number of later ones, however much better they are', () => {
    fc.assert(fc.property(fc.integer({ min: -100, max: 99 }), fc.integer({ min: 1, max: 100 }), fc.nat(10_000), (priority, steps, arrival) => {
      const here: Place<string> = { sequence: 'here', priority: priority + steps, arrival, preemptions: 0 };
      const late = (later: number): Place<string> => ({ sequence: 'late', priority, arrival: arrival + later, preemptions: 0 });
      expect(compare(late(OVERTAKERS_PER_STEP * steps - 1), here)).toBeLessThan(0);
      expect(compare(here, late(OVERTAKERS_PER_STEP * steps))).toBeLessThan(0);
      expect(compare(here, { ...late(1), priority: priority + steps })).toBeLessThan(0);
    }));
  });
});
