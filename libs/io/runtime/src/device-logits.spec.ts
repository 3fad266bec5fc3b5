import { afterAll, describe, expect, it } from 'vitest';
import { syntheticModel } from '../test/synthetic-model.ts';
import { DeviceLogits } from './device-logits.ts';
import { floats } from './device-session.ts';
import { OpenDevice } from './open-device.ts';
import { PlainGraphs } from './plain-graphs.ts';

/** On the processor: what differs on a card is where the logits lie. */

const VOCABULARY = 1_001;
const graphs = new PlainGraphs(new OpenDevice({ provider: 'cpu', index: 0 }), syntheticModel({ hiddenSize: 8, expertSize: 8, vocabSize: VOCABULARY, dtype: 'float32' }).spec);
afterAll(() => graphs.close());

const logitsOf = (...rows: readonly Float32Array[]): DeviceLogits => new DeviceLogits(floats(Float32Array.from(rows.flatMap((row) => [...row])), [rows.length, VOCABULARY]), graphs);
const wave = (step: number): Float32Array => Float32Array.from({ length: VOCABULARY }, (_, id) => 10 * Math.sin(id * step));

describe('the best few of logits on a device', () => {
  it('are those above all others, each row as many as it needs at least, and all weigh what they weigh', async () => {
    const rows = [wave(1), wave(0.7), wave(0.3)];
    const needed = [{ count: 1, sharpness: 1 }, { count: 5, sharpness: 2 }, { count: 40, sharpness: 0.5 }];
    const few = await logitsOf(...rows).few(needed);
    for (const [nth, { ids, logits, restAtMost, mass, softMass }] of few.entries()) {
      const [row, { count, sharpness }] = [rows[nth]!, needed[nth]!];
      expect(ids.length).toBeGreaterThanOrEqual(count);
      expect([...ids]).toEqual([...row.keys()].filter((id) => row[id]! > restAtMost));
      expect([...logits]).toEqual([...ids].map((id) => row[id]));
      const best = Math.max(...row);
      for (const [sum, factor] of [[mass, 1], [softMass, sharpness]] as const) expect(sum / row.reduce((all, logit) => all + Math.exp((logit - best) * factor), 0)).toBeCloseTo(1, 5);
    }
  });

  it('are all where as many blocks are needed as there are', async () => {
    const [few] = await logitsOf(wave(1)).few([{ count: 64, sharpness: 1 }]);
    expect([few!.restAtMost, [...few!.logits]]).toEqual([-Infinity, [...wave(1)]]);
  });

  it('are none where all are equal', async () => {
    const [few] = await logitsOf(new Float32Array(VOCABULARY)).few([{ count: 3, sharpness: 1 }]);
    expect([few!.ids.length, few!.restAtMost]).toEqual([0, 0]);
  });

  it('weigh nothing that is a number where a logit is none', async () => {
    const [few] = await logitsOf(wave(1).with(500, NaN)).few([{ count: 3, sharpness: 1 }]);
    expect(few!.mass).toBeNaN();
  });
});
