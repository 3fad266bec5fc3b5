import { describe, expect, it } from 'vitest';
import { route } from '@essaim/dispatch';
import { readRouters } from './read-vectors.ts';

/** Gates of transformers differ by what its exponential rounds otherwise: a few units in the last place of float32. */
const GATE_TOLERANCE = 6e-7;

describe('routers choose and weigh as those of transformers do', () => {
  it.each(readRouters())('$name', ({ expertCount, expertsPerToken, router, logits, correctionBias, experts, gates }) => {
    const routing = route(logits, { expertCount, expertsPerToken, router }, correctionBias);
    expect([...routing.experts]).toEqual(experts);
    routing.gates.forEach((gate, pair) => expect(Math.abs(gate - gates[pair]!) / gates[pair]!).toBeLessThan(GATE_TOLERANCE));
  });

  it('of every kind: what only moves the choice is there, and has moved it', () => {
    for (const { name, expertCount, expertsPerToken, router, logits, correctionBias, experts } of readRouters()) {
      if (correctionBias === null) continue;
      const unmoved = route(logits, { expertCount, expertsPerToken, router }, new Float32Array(expertCount));
      expect([...unmoved.experts], name).not.toEqual(experts);
    }
  });
});
