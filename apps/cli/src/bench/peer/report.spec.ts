import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { SYNTHETIC_MIXTRAL } from '../synthetic/model.ts';
import { agreementLine, loadLine, peerTable, rooflineLines, settingsLines } from './report.ts';
import { rooflineOf } from './roofline.ts';
import { type PeerRow } from './rows.ts';

const ROWS: readonly PeerRow[] = [
  { name: 'decode-1', unit: 'tokens/s', ours: 70.12, peer: 60, ratio: 1.2, min: 1.1, max: 1.3 },
  { name: 'first-token-warm', unit: 'ms', ours: 1234.5, peer: 2000, ratio: 0.62, min: 0.62, max: 0.62 },
];

it('a table has medians of both sides, and of the ratio what it was between', () => {
  expect(`\n${stripVTControlCharacters(peerTable(ROWS))}`).toMatchInlineSnapshot(`
    "
    ┌──────────────────┬──────────┬────────┬───────────┬─────────────────────┐
    │                  │ unit     │ Essaim │ llama.cpp │  Essaim / llama.cpp │
    ├──────────────────┼──────────┼────────┼───────────┼─────────────────────┤
    │ decode-1         │ tokens/s │   70.1 │      60.0 │ 1.20 (1.10 to 1.30) │
    │ first-token-warm │ ms       │   1235 │      2000 │                0.62 │
    └──────────────────┴──────────┴────────┴───────────┴─────────────────────┘"
  `);
});

it('says what each side could reach, how llama.cpp was set, and whether both are one model', () => {
  const [first, ours] = rooflineLines(rooflineOf(SYNTHETIC_MIXTRAL, 30e9), ROWS);
  expect([first, ours]).toEqual(['roofline: 241 MB of weights a token at 30.0 GB/s make 125 tokens/s', 'of which one stream reaches 56 % with Essaim, 48 % with llama.cpp']);
  const settings = { batchTokens: 512, flashAttention: true, order: 'maximumParallelism' } as const;
  expect(settingsLines({ decode: settings, prefill: { ...settings, batchTokens: 1024, flashAttention: false }, arrival: { ...settings, order: 'firstInFirstOut' }, startsMapped: false })).toEqual([
    'llama.cpp\'s best for decoding: flash attention on, batch and micro-batch of 512',
    'llama.cpp\'s best for a prompt: flash attention off, batch and micro-batch of 1024',
    'llama.cpp\'s best for prompts that come together: flash attention on, batch and micro-batch of 512, first in first out',
    'llama.cpp\'s best for starting: the file read',
  ]);
  expect(agreementLine({ prompts: 8, sameFirst: 7, meanOverlap: 0.83, meanDifference: 0.0751, largestDifference: 0.4512 }))
    .toBe('the same model: of 8 prompts 7 have the same likeliest next token; of the 20 likeliest 16.6 are the same, with log probabilities 0.075 apart, 0.451 at most');
});

it('warns where others used the machine', () => {
  expect(loadLine({ before: 0.1, after: 2.2 }, 2)).toBe('load average of the machine: 0.1 before the rounds, 2.2 after them');
  expect(loadLine({ before: 0.1, after: 6.2 }, 2)).toMatch(/others used the machine too/);
});
