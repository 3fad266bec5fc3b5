import { styleText } from 'node:util';
import Table from 'cli-table3';
import { formatBytes } from '@essaim/placement';
import { ASSUMED_EFFICIENCY, FORMULAS, MEMORY_SHARE, type Plan, type PlanRequest, spareOf, type TimeTerms, totalOf, type WorkerMemory } from '@essaim/planning';
import { notesOf } from './notes.ts';

/** What people read: whether it fits, where everything lies, how fast it should be and why. */
export function textReport(request: PlanRequest, plan: Plan): string {
  return [headline(request, plan), verdict(plan), memoryTable(request, plan), ...predicted(request, plan), smallestLine(plan), notesOf(request).join('\n')].join('\n\n');
}

function headline({ model, dtype, kvDtype, topology, load }: PlanRequest, { size }: Plan): string {
  const weights = `${billions(size.totalWeights)} weights, ${billions(size.activeWeights)} a token`;
  return `${styleText('bold', model.family)}  ${weights}, ${dtype}, keys and values ${kvDtype}, on ${topology.name} (${counted(topology.workers.length, 'worker')}); ${counted(load.streams, 'stream')} of ${load.contextTokens} tokens, ${load.replicas === 1 ? '1 copy' : `${load.replicas} copies`} of each expert`;
}

function verdict({ fit }: Plan): string {
  if (fit.kind === 'short') return styleText('red', `Does not fit: ${fit.reason}.`);
  const least = Math.min(...fit.workers.map(spareOf));
  const fits = styleText('green', `Fits: ${formatBytes(fit.spareBytes)} are free in all, ${formatBytes(least)} on the fullest worker.`);
  return fit.degraded === null ? fits : `${fits}\n${fit.degraded}`;
}

/** Workers that hold as much of the same device share a row. */
function memoryTable({ topology }: PlanRequest, { fit }: Plan): string {
  const table = tableOf(['workers', 'device', 'experts', 'expert weights', 'other weights', 'KV', 'activations', 'free'], 2);
  const rows = new Map<string, { readonly cells: readonly string[]; count: number }>();
  fit.workers.forEach((memory, index) => {
    const cells = [topology.workers[index]!.device.name, ...memoryCells(memory)];
    const row = rows.get(cells.join('|')) ?? { cells, count: 0 };
    row.count += 1;
    rows.set(cells.join('|'), row);
  });
  for (const { cells, count } of rows.values()) table.push([`${count}`, ...cells]);
  return `${table.toString()}\nOf each device's memory ${percent(MEMORY_SHARE)} are used; every worker leads, so that each holds all other weights.`;
}

function memoryCells(memory: WorkerMemory): string[] {
  const spare = spareOf(memory);
  const bytes = [memory.expertBytes, memory.denseBytes, memory.kvBytes + memory.kvSlackBytes, memory.activationBytes].map(formatBytes);
  return [`${memory.experts}`, ...bytes, spare < 0 ? `-${formatBytes(-spare)}` : formatBytes(spare)];
}

function predicted({ topology }: PlanRequest, { prediction }: Plan): string[] {
  if (prediction === null) return [];
  const { traffic, speed, costPerMillionTokens } = prediction;
  const links = tableOf(['link', 'kB per token', 'round trips per token'], 1);
  for (const { link, bytesPerToken, roundTripsPerToken } of traffic) links.push([link.kind, significant(bytesPerToken / 1_000), roundTripsPerToken.toFixed(1)]);
  const times = tableOf(['milliseconds', 'lead', 'experts', 'overhead', 'latency', 'transfer', 'sum'], 1);
  times.push(['one step', ...termCells(speed.step)], ['first token', ...termCells(speed.firstToken)]);
  const cost = costPerMillionTokens === null ? 'no price is known: give --price' : `${significant(costPerMillionTokens)} per million tokens, in the currency of the prices`;
  return [
    traffic.length === 0 ? 'Nothing goes over links.' : links.toString(),
    `${times.toString()}\nPredicted: ${significant(speed.tokensPerSecond)} tokens/s; first token after ${significant(1_000 * speed.firstTokenSeconds)} ms; ${cost}`,
    `${FORMULAS.join('\n')}\n${topology.measuredWith === null ? assumedLine() : measuredLine(topology.workers)}`,
  ];
}

const assumedLine = (): string => `assumed: memory efficiency ${ASSUMED_EFFICIENCY.memory}, compute efficiency ${ASSUMED_EFFICIENCY.compute}, link efficiency ${ASSUMED_EFFICIENCY.link}, no overheads but those that the topology gives`;

/** Each kind of device once. */
function measuredLine(workers: PlanRequest['topology']['workers']): string {
  const devices = new Map(workers.map(({ device }) => [device.name, device]));
  const figures = [...devices.values()].map(({ name, readBytesPerSecond, flopsPerSecond, overhead: { step, layer, row, output } }) =>
    `${name}: ${significant(readBytesPerSecond / 1e9)} GB/s, ${significant(flopsPerSecond / 1e9)} GFLOP/s, ${significant(1e6 * step)} us a step, ${significant(1e6 * layer)} us a layer, ${significant(1e6 * row)} us a row in a layer, ${significant(1e6 * output)} us an answer`);
  return `measured, so that efficiencies are 1: ${figures.join('; ')}`;
}

const termCells = (terms: TimeTerms): string[] => [terms.lead, terms.experts, terms.overhead, terms.latency, terms.transfer, totalOf(terms)].map((seconds) => (1_000 * seconds).toFixed(2));

function smallestLine({ smallest }: Plan): string {
  return smallest.map(({ device, workers }) => (workers === null ? `No number of ${device} that was tried would fit.` : `Smallest cluster of ${device}: ${workers}.`)).join('\n');
}

/** Three digits tell all that a prediction can. */
const significant = (value: number): string => new Intl.NumberFormat('en', { maximumSignificantDigits: 3, useGrouping: false }).format(value);

const tableOf = (head: string[], leftColumns: number): Table.Table =>
  new Table({ head, style: { head: [], border: [], compact: true }, colAligns: head.map((_, column) => (column < leftColumns ? 'left' : 'right')) });

const billions = (count: number): string => (count >= 1e9 ? `${(count / 1e9).toFixed(1)} billion` : `${(count / 1e6).toFixed(1)} million`);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
