import { describe, expect, it } from 'vitest';
import { fileSha256, logitsNames, logitsRow, readGreedyRuns, readLogits, readPerplexity, readTokenizerVector, type LogitsVector } from './read-vectors.ts';

const DECODE_STEPS = 32;

describe.each(logitsNames())('logits of %s', (name) => {
  const vector = readLogits(name);

  it('have one row a token and were made from the files in this repository', () => {
    expect(vector.rows).toBe(vector.promptIds.length + DECODE_STEPS);
    expect(vector.greedyIds).toHaveLength(DECODE_STEPS);
    expect(vector.columns).toBe(Math.ceil(vector.vocabularySize / vector.vocabularyStride));
    expect(vector.logits).toHaveLength(vector.rows * vector.columns);
    expect(fileSha256(`test/golden/vectors/${name}.f32`)).toBe(vector.sha256);
    expectSameFiles(vector.checkpoints);
  });

  it('give the greedy tokens, away from ties', () => {
    expect(vector.argmaxIds.slice(vector.promptIds.length - 1, -1)).toEqual(vector.greedyIds);
    expect(vector.smallestGreedyGap).toBeGreaterThan(1e-3);
    expect(vector.smallestRouterGap ?? 1).toBeGreaterThan(1e-4);
    expect(vector.promptIds.length).toBeGreaterThanOrEqual(24);
  });

  it('agree with the summary of each row', () => {
    for (let row = 0; row < vector.rows; row += 1) expectRowSummary(vector, row);
  });
});

function expectRowSummary(vector: LogitsVector, row: number): void {
  const logits = logitsRow(vector, row);
  const largest = logits.reduce((best, logit) => Math.max(best, logit), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  const best = vector.argmaxIds[row]!;
  if (best % vector.vocabularyStride === 0) expect(logits[best / vector.vocabularyStride]).toBe(vector.maxLogits[row]);
  if (vector.vocabularyStride === 1) expect(largest + Math.log(sum)).toBeCloseTo(vector.logSumExps[row]!, 5);
  expect(largest).toBeLessThanOrEqual(vector.maxLogits[row]!);
  expect(vector.logSumExps[row]).toBeGreaterThan(vector.maxLogits[row]!);
}

function expectSameFiles(checkpoints: LogitsVector['checkpoints']): void {
  for (const { folder, sha256 } of checkpoints) {
    for (const [file, expected] of Object.entries(sha256)) expect(fileSha256(`${folder}/${file}`), `${folder}/${file}`).toBe(expected);
  }
}

describe('vectors of the built-in model', () => {
  it('have 64 greedy tokens for ten French and ten English prompts, away from ties', () => {
    const { runs, checkpoints } = readGreedyRuns();
    expectSameFiles(checkpoints);
    expect(['fr', 'en'].map((language) => runs.filter((run) => run.language === language).length)).toEqual([10, 10]);
    for (const run of runs) {
      expect(run.greedyIds).toHaveLength(64);
      expect(run.smallestGreedyGap).toBeGreaterThan(1e-3);
      expect(run.smallestRouterGap).toBeGreaterThan(1e-4);
    }
  });

  it('have the perplexity of whole windows of the held-back text', () => {
    const vector = readPerplexity();
    expectSameFiles(vector.checkpoints);
    expect(fileSha256(`test/golden/${vector.text}`)).toBe(vector.textSha256);
    expect(vector.windowLosses).toHaveLength(Math.floor(vector.ids.length / vector.windowTokens));
    const mean = vector.windowLosses.reduce((total, loss) => total + loss, 0) / vector.windowLosses.length;
    expect(mean).toBeCloseTo(vector.meanLoss, 10);
    expect(Math.exp(mean)).toBeCloseTo(vector.perplexity, 8);
  });

  it('have tokenizations made with the tokenizer in this repository', () => {
    const { encodings, tokenizerSha256 } = readTokenizerVector();
    expect(fileSha256('deploy/models/petit/tokenizer.json')).toBe(tokenizerSha256);
    expect(encodings.length).toBeGreaterThanOrEqual(60);
  });
});
