import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AnswerMatchers } from './answer-matchers.ts';

const PETIT = fileURLToPath(new URL('../../../deploy/models/petit', import.meta.url));

function matchersOf(directory: string): { readonly matchers: AnswerMatchers; readonly warnings: unknown[] } {
  const warnings: unknown[] = [];
  const logger = { warn: (fields: unknown) => void warnings.push(fields) };
  return { matchers: new AnswerMatchers({ directory, vocabSize: 8_192, logger, threadEntry: new URL('./vocabulary.thread.ts', import.meta.url) }), warnings };
}

describe('a worker that holds answers to what they must be', () => {
  it('reads what the model\'s tokens say, once, and no control token says anything', async () => {
    const { matchers, warnings } = matchersOf(PETIT);
    const [answer, other] = await Promise.all([matchers.open({ kind: 'regex', pattern: '.*' }), matchers.open({ kind: 'regex', pattern: '[0-9]' })]);
    const count = (bits: Uint32Array): number => [...bits].reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0);
    expect([answer.mask().length, count(answer.mask()) > 8_000, count(other.mask())]).toEqual([256, true, 10]);
    expect([answer.accept(1), answer.isComplete, warnings]).toEqual([false, true, []]);
    await expect(matchers.open({ kind: 'regex', pattern: '(' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('says so, to whoever asks and in its log, where the tokenizer can\'t be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'essaim-no-tokenizer-'));
    try {
      const { matchers, warnings } = matchersOf(folder);
      for (let asked = 1; asked <= 2; asked++) {
        await expect(matchers.open({ kind: 'json object' })).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringMatching(/^this worker can't read the model's tokenizer: .* has no tokenizer\.json/) as string });
        expect(warnings).toHaveLength(asked);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
