import Table from 'cli-table3';
import { type Agreement } from './agreement.ts';
import { type BestSettings, type LlamaSettings } from './llama/settings.ts';
import { settingsLine } from './llama/try-settings.ts';
import { type Machine } from '../machine.ts';
import { type Roofline } from './roofline.ts';
import { type PeerRow } from './rows.ts';

export interface LoadAverage {
  readonly before: number;
  readonly after: number;
}

/** What one run found out, as the JSON file holds it. */
export interface PeerResult {
  readonly benchmark: 'peer';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly threads: number;
  readonly peer: { readonly name: string; readonly version: string; readonly settings: BestSettings };
  /** Runnable threads of the whole machine, averaged over a minute. */
  readonly loadAverage: LoadAverage;
  readonly agreement: Agreement;
  readonly roofline: Roofline;
  readonly rows: readonly PeerRow[];
}

export function peerTable(rows: readonly PeerRow[]): string {
  const table = new Table({ head: ['', 'unit', 'Essaim', 'llama.cpp', 'Essaim / llama.cpp'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'left', 'right', 'right', 'right'] });
  for (const { name, unit, ours, peer, ratio, min, max } of rows) {
    const spread = min === max ? ratio.toFixed(2) : `${ratio.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
    table.push([name, unit, figure(ours), figure(peer), spread]);
  }
  return table.toString();
}

export function settingsLines({ decode, prefill, arrival, startsMapped }: BestSettings): string[] {
  const line = (work: string, settings: LlamaSettings): string => `llama.cpp's best for ${work}: ${settingsLine(settings)}`;
  return [line('decoding', decode), line('a prompt', prefill), line('prompts that come together', arrival), `llama.cpp's best for starting: the file ${startsMapped ? 'mapped' : 'read'}`];
}

export function agreementLine({ prompts, sameFirst, meanOverlap, meanDifference, largestDifference }: Agreement): string {
  return `the same model: of ${prompts} prompts ${sameFirst} have the same likeliest next token; of the 20 likeliest ${(20 * meanOverlap).toFixed(1)} are the same, with log probabilities ${meanDifference.toFixed(3)} apart, ${largestDifference.toFixed(3)} at most`;
}

/** What is possible, and the share of it that each side's rate has where there is one. */
export function rooflineLines({ bytesPerToken, readBandwidth, tokensPerSecond }: Roofline, rows: readonly PeerRow[]): string[] {
  const possible = `roofline: ${(bytesPerToken / 1e6).toFixed(0)} MB of weights a token at ${(readBandwidth / 1e9).toFixed(1)} GB/s make ${tokensPerSecond.toFixed(0)} tokens/s`;
  const measured = rows.find(({ name }) => name === 'decode-1');
  if (measured === undefined) return [possible];
  const share = (rate: number): string => `${((100 * rate) / tokensPerSecond).toFixed(0)} %`;
  return [possible, `of which one stream reaches ${share(measured.ours)} with Essaim, ${share(measured.peer)} with llama.cpp`];
}

/** llama.cpp's threads wait for each other by spinning, so that it suffers more than its share from others: what is measured beside others is no comparison. */
export function loadLine({ before, after }: LoadAverage, threads: number): string {
  const verdict = after > threads + 1 ? ': others used the machine too, measure again when it is quiet' : '';
  return `load average of the machine: ${before.toFixed(1)} before the rounds, ${after.toFixed(1)} after them${verdict}`;
}

const figure = (value: number): string => value.toFixed(value >= 100 ? 0 : 1);
