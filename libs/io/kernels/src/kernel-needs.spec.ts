import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expertPieces } from '@essaim/panels';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openWhole } from '../test/open-model.ts';
import { BANK_BYTES } from './bank.ts';
import { kernelNeeds } from './kernel-needs.ts';

const model = modelOf(SMALL_SPECS['grouped queries'], 'int8');
const needs = (changes: Partial<Parameters<typeof kernelNeeds>[0]> = {}): ReturnType<typeof kernelNeeds> => kernelNeeds({ model, threads: 1, kvBytes: 1e6, sequences: 8, ...changes });

describe('what a worker needs of its memory', () => {
  it('is what its pieces take there when they are loaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'essaim-kernel-needs-'));
    const whole = await openWhole(model, { folder });
    const { denseBytes, expertBytes } = await needs();
    expect(whole.weightBytes).toBe(denseBytes + expertPieces(model.spec).length * expertBytes);
    await whole.close();
    rmSync(folder, { recursive: true });
  });

  it('is keys and values as they are, and for a step what each thread and each memory computes in, and logits', async () => {
    const [one, two, large, crowd] = [await needs(), await needs({ threads: 2 }), await needs({ kvBytes: BANK_BYTES + 1 }), await needs({ sequences: 9 })];
    expect([one.kvBytes, one.kvSlackBytes, large.kvBytes]).toEqual([1e6, 0, BANK_BYTES + 1]);
    expect(two.stepBytes).toBeGreaterThan(one.stepBytes);
    expect(large.stepBytes).toBeGreaterThan(one.stepBytes);
    expect(crowd.stepBytes - one.stepBytes).toBe(4 * model.spec.vocabSize);
  });
});
