import { assert, groupedQueryOf, type ModelSpec } from '@essaim/core';
import { BLOCK, PANEL, type PanelTensor, panelsNamed, type PieceLayout, quantisedStride } from '@essaim/panels';
import { type Arena, widthOf } from './arena.ts';
import { type AttendJob, type FeedForwardJob, type HeadJob, type Job, type JobSpan } from './job.ts';
import { type Kernels } from './kernels.ts';
import { type TeamSignal } from './team-signal.ts';

/** Where the tensors of each piece of a model are, counted from where the piece begins. */
export interface PieceLayouts {
  /** By layer. */
  readonly layers: readonly PieceLayout[];
  /** By layer; null where there is no network that every token passes. */
  readonly dense: readonly (PieceLayout | null)[];
  /** Of every expert; null for a model without. */
  readonly expert: PieceLayout | null;
  readonly head: PieceLayout;
}

/** What a thread sees of a bank. */
export interface BankView {
  readonly kernels: Kernels;
  /** All of it, to copy between banks. */
  readonly floats: Float32Array<SharedArrayBuffer>;
}

export interface ProgramOptions {
  readonly spec: ModelSpec;
  readonly layouts: PieceLayouts;
  readonly arena: Arena;
  /** Address of this thread's own scratch, in every bank. */
  readonly scratch: number;
  readonly threads: number;
  readonly signal: TeamSignal;
  readonly bank: (bank: number) => BankView;
}

/** Query rows that one call of attention takes: as many parts as keep all threads busy, large enough to read keys for many rows at once. */
export const ATTENTION_ROWS = 32;
/** A phase is cut into about so many parts per thread, so that nobody waits long for the last one. */
const PARTS_PER_THREAD = 6;

/** Activations that a matrix multiplies: [rows, columns] of float32, `stride` floats apart, and the same quantised. */
interface Activations {
  readonly floats: number;
  readonly stride: number;
  readonly quantised: number;
}

/**
 * What a job computes, as every thread of the team runs it: in each phase a thread takes parts until none is left, and then meets the others.
 * Each part computes some rows, columns or heads wholly, so no result depends on who computed it, nor on how many threads there are.
 */
export class Program {
  readonly #options: ProgramOptions;
  readonly #hiddenStride: number;
  /** Of the job under way. */
  #phase = 0;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#hiddenStride = widthOf(options.spec.hiddenSize);
  }

  run(job: Job): void {
    this.#phase = 0;
    if (job.kind === 'attend') this.#attend(job);
    else if (job.kind === 'feed-forward') this.#feedForward(job);
    else this.#head(job);
  }

  #attend(job: AttendJob): void {
    const { spec, arena, layouts } = this.#options;
    const { kernels } = this.#options.bank(job.bank);
    const layout = layouts.layers[job.layer]!;
    const [hidden, stride, { rows }] = [spec.hiddenSize, this.#hiddenStride, job];
    const [qkv, output] = [panelsNamed(layout, 'qkv'), panelsNamed(layout, 'output')];
    const norm = (from: number, weight: string, row: number, count: number): void =>
      kernels.rmsNorm(at(from, row, stride), job.at + layout.tensors[weight]!.offset, spec.normEpsilon, at(arena.normed, row, stride), count, hidden, stride, stride);

    this.#rows(rows, (row, count) => {
      norm(arena.input, 'attentionNorm', row, count);
      if (qkv.form !== 'float32') kernels.quantise(at(arena.normed, row, stride), count, hidden, stride, arena.quantised + row * quantisedStride(hidden));
    });
    this.#linear(kernels, job.at, qkv, { floats: arena.normed, stride, quantised: arena.quantised }, { rows, out: arena.projected, stride: qkv.panels * PANEL });
    this.#rows(rows, (row, count) => this.#rotate(job, qkv, row, count));
    this.#attention(job);
    this.#rows(rows, (row, count) => this.#collect(job, output, row, count));
    const attended = { floats: arena.attended, stride: widthOf(output.columns), quantised: arena.quantisedAttended };
    this.#linear(kernels, job.at, output, attended, { rows, out: arena.output, stride });
    this.#rows(rows, (row, count) => {
      for (let nth = row; nth < row + count; nth++) kernels.add(at(arena.input, nth, stride), at(arena.output, nth, stride), at(arena.next, nth, stride), hidden);
      norm(arena.next, 'feedForwardNorm', row, count);
    });
    if (layout.tensors['router'] !== undefined) {
      const router = panelsNamed(layout, 'router');
      this.#linear(kernels, job.at, router, { floats: arena.normed, stride, quantised: 0 }, { rows, out: arena.router, stride: widthOf(router.rows) });
    }
  }

  /** Queries, keys and values of rows go to where the sequence's keys and values are; queries and keys are turned there. */
  #rotate(job: AttendJob, qkv: PanelTensor, row: number, count: number): void {
    const { spec, arena, bank } = this.#options;
    const { headCount, kvHeadCount, headSize } = groupedQueryOf(spec);
    const [queryWidth, keyWidth, stride] = [headCount * headSize, kvHeadCount * headSize, qkv.panels * PANEL];
    const [, keyAt, valueAt] = qkv.parts.map(({ firstPanel }) => firstPanel * PANEL);
    const from = bank(job.bank).floats;
    for (const span of job.spans) {
      const [first, end] = [Math.max(row, span.row), Math.min(row + count, span.row + span.count)];
      if (first >= end) continue;
      const { kernels, floats } = bank(span.bank);
      const { keys, values } = this.#cache(job.layer, span);
      const position = span.first + first - span.row;
      for (let nth = first; nth < end; nth++) {
        const source = arena.projected / 4 + nth * stride;
        const target = position + nth - first;
        floats.set(from.subarray(source, source + queryWidth), arena.query / 4 + nth * queryWidth);
        floats.set(from.subarray(source + keyAt!, source + keyAt! + keyWidth), keys / 4 + target * keyWidth);
        floats.set(from.subarray(source + valueAt!, source + valueAt! + keyWidth), values / 4 + target * keyWidth);
      }
      const angles = [at(arena.cos, first, headSize / 2), at(arena.sin, first, headSize / 2)] as const;
      const scale = spec.queryScaling === null ? 0 : at(arena.queryScale, first, 1);
      kernels.rotateHalves(at(arena.query, first, queryWidth), headCount, headSize, headSize, 0, end - first, queryWidth, headSize, ...angles, scale);
      kernels.rotateHalves(at(keys, position, keyWidth), kvHeadCount, headSize, headSize, 0, end - first, keyWidth, headSize, ...angles, 0);
    }
  }

  /** Addresses of a layer's keys and values of one sequence: [capacity, width] each. */
  #cache(layer: number, { at: start, capacity }: JobSpan): { readonly keys: number; readonly values: number } {
    const { kvHeadCount, headSize } = groupedQueryOf(this.#options.spec);
    const bytes = 4 * capacity * kvHeadCount * headSize;
    const keys = start + 2 * layer * bytes;
    return { keys, values: keys + bytes };
  }

  /** Parts: for each span and key-value head some rows, the last ones first, since they see most. */
  #attention(job: AttendJob): void {
    const { spec, arena, bank, scratch } = this.#options;
    const { headCount, kvHeadCount, headSize, slidingWindow } = groupedQueryOf(spec);
    const group = headCount / kvHeadCount;
    const [queryWidth, keyWidth] = [headCount * headSize, kvHeadCount * headSize];
    const attendedStride = widthOf(queryWidth);
    const chunks = job.spans.map(({ count }) => Math.ceil(count / ATTENTION_ROWS));
    const total = chunks.reduce((sum, count) => sum + count, 0) * kvHeadCount;
    this.#parts(total, (part) => {
      const head = part % kvHeadCount;
      let nth = (part - head) / kvHeadCount;
      let index = 0;
      while (nth >= chunks[index]!) nth -= chunks[index++]!;
      const span = job.spans[index]!;
      const first = (chunks[index]! - 1 - nth) * ATTENTION_ROWS;
      const count = Math.min(ATTENTION_ROWS, span.count - first);
      const { kernels } = bank(span.bank);
      const { keys, values } = this.#cache(job.layer, span);
      const row = span.row + first;
      kernels.attention(
        at(arena.query, row, queryWidth) + 4 * head * group * headSize, queryWidth, at(arena.attended, row, attendedStride) + 4 * head * group * headSize, attendedStride,
        count, span.first + first, group, headSize, headSize, keys + 4 * head * headSize, keyWidth, values + 4 * head * headSize, keyWidth,
        slidingWindow ?? 0, 1 / Math.sqrt(headSize), scratch,
      );
    });
  }

  /** What rows attended to comes back to where the layer's weights are. */
  #collect(job: AttendJob, output: PanelTensor, row: number, count: number): void {
    const { arena, bank } = this.#options;
    const { kernels, floats } = bank(job.bank);
    const width = output.columns;
    const stride = widthOf(width);
    for (const span of job.spans) {
      const [first, end] = [Math.max(row, span.row), Math.min(row + count, span.row + span.count)];
      if (first >= end) continue;
      const [start, stop] = [arena.attended / 4 + first * stride, arena.attended / 4 + end * stride];
      floats.set(bank(span.bank).floats.subarray(start, stop), start);
    }
    if (output.form !== 'float32') kernels.quantise(at(arena.attended, row, stride), count, width, stride, arena.quantisedAttended + row * quantisedStride(width));
  }

  /** For each network: gate and up, then the activation, a few blocks of columns at a time; then down. */
  #feedForward(job: FeedForwardJob): void {
    const { spec, arena, layouts, bank } = this.#options;
    const { kernels } = bank(job.bank);
    const layout = job.routed ? layouts.expert : layouts.dense[job.layer];
    assert(layout, 'a network that runs has a layout');
    const [gateUp, down] = [panelsNamed(layout, 'gateUp'), panelsNamed(layout, 'down')];
    const [hidden, stride, inner] = [spec.hiddenSize, this.#hiddenStride, down.columns];
    const isExact = gateUp.form === 'float32';
    const [inputBytes, innerBytes] = [quantisedStride(hidden), quantisedStride(inner)];
    const upAt = gateUp.parts[1]!.firstPanel;
    const innerStride = gateUp.panels * PANEL;
    const firstRows = job.groups.map(() => 0);
    let total = 0;
    job.groups.forEach(({ rows }, nth) => {
      firstRows[nth] = total;
      total += rows;
    });
    if (!isExact) this.#rows(total, (row, count) => kernels.quantise(at(arena.input, row, stride), count, hidden, stride, arena.quantised + row * inputBytes));

    const blocks = Math.ceil(inner / BLOCK);
    const blocksAtOnce = this.#share(blocks * job.groups.length, blocks);
    const blockParts = Math.ceil(blocks / blocksAtOnce);
    this.#parts(blockParts * job.groups.length, (part) => {
      const nth = Math.floor(part / blockParts);
      const { at: weights, rows } = job.groups[nth]!;
      const row = firstRows[nth]!;
      const first = (part % blockParts) * blocksAtOnce;
      const end = Math.min(blocks, first + blocksAtOnce);
      const input = { floats: at(arena.input, row, stride), stride, quantised: arena.quantised + row * inputBytes };
      const result = { rows, out: at(arena.inner, row, innerStride), stride: innerStride };
      const [firstPanel, endPanel] = [2 * first, Math.min(upAt, 2 * end)];
      this.#panels(kernels, weights, gateUp, input, result, firstPanel, endPanel);
      this.#panels(kernels, weights, gateUp, input, result, upAt + firstPanel, upAt + endPanel);
      const columns = Math.min(inner, end * BLOCK) - first * BLOCK;
      const gate = result.out + 4 * first * BLOCK;
      kernels.swiglu(gate, gate + 4 * upAt * PANEL, gate, rows, columns, innerStride, innerStride, innerStride);
      if (!isExact) kernels.quantiseColumns(result.out, rows, inner, innerStride, arena.quantisedInner + row * innerBytes, first, end);
    });

    const panelsAtOnce = this.#share(down.panels * job.groups.length, down.panels);
    const panelParts = Math.ceil(down.panels / panelsAtOnce);
    this.#parts(panelParts * job.groups.length, (part) => {
      const nth = Math.floor(part / panelParts);
      const { at: weights, rows } = job.groups[nth]!;
      const row = firstRows[nth]!;
      const first = (part % panelParts) * panelsAtOnce;
      const activated = { floats: at(arena.inner, row, innerStride), stride: innerStride, quantised: arena.quantisedInner + row * innerBytes };
      this.#panels(kernels, weights, down, activated, { rows, out: at(arena.output, row, stride), stride }, first, Math.min(down.panels, first + panelsAtOnce));
    });
  }

  #head(job: HeadJob): void {
    const { spec, arena, layouts, bank } = this.#options;
    const { kernels } = bank(job.bank);
    const [hidden, stride] = [spec.hiddenSize, this.#hiddenStride];
    const head = panelsNamed(layouts.head, 'head');
    this.#rows(job.rows, (row, count) => {
      const normed = at(arena.normed, row, stride);
      kernels.rmsNorm(at(arena.input, row, stride), job.at + layouts.head.tensors['norm']!.offset, spec.normEpsilon, normed, count, hidden, stride, stride);
      if (head.form !== 'float32') kernels.quantise(normed, count, hidden, stride, arena.quantised + row * quantisedStride(hidden));
    });
    this.#linear(kernels, job.at, head, { floats: arena.normed, stride, quantised: arena.quantised }, { rows: job.rows, out: arena.logits, stride: widthOf(spec.vocabSize) });
  }

  /** All columns of a matrix, some panels a part. */
  #linear(kernels: Kernels, piece: number, matrix: PanelTensor, input: Activations, result: Result): void {
    const atOnce = this.#share(matrix.panels, matrix.panels);
    this.#parts(Math.ceil(matrix.panels / atOnce), (part) => this.#panels(kernels, piece, matrix, input, result, part * atOnce, Math.min(matrix.panels, (part + 1) * atOnce)));
  }

  /** The panels [first, end) of a matrix of a piece, for all rows. */
  #panels(kernels: Kernels, piece: number, { form, columns, offset }: PanelTensor, { floats, stride, quantised }: Activations, result: Result, first: number, end: number): void {
    const { scratch } = this.#options;
    const weights = piece + offset;
    if (form === 'float32') kernels.linear32(weights, floats, result.rows, columns, stride, first, end, result.out, result.stride, scratch);
    else kernels[form === 'int4' ? 'linear4' : 'linear8'](weights, quantised, result.rows, columns, first, end, result.out, result.stride, scratch);
  }

  /** How many of `total` units a part has, at most `most`. */
  #share(total: number, most: number): number {
    return Math.max(1, Math.min(most, Math.ceil(total / (PARTS_PER_THREAD * this.#options.threads))));
  }

  /** A phase whose parts are rows. */
  #rows(rows: number, act: (row: number, count: number) => void): void {
    const atOnce = Math.ceil(rows / (2 * this.#options.threads));
    this.#parts(Math.ceil(rows / atOnce), (part) => act(part * atOnce, Math.min(atOnce, rows - part * atOnce)));
  }

  /** A phase: every part is done by one thread, and all are done when this returns. */
  #parts(count: number, act: (part: number) => void): void {
    const { signal } = this.#options;
    const phase = this.#phase++;
    for (let part = signal.take(phase); part < count; part = signal.take(phase)) act(part);
    signal.meet();
  }
}

/** Where the result of a matrix goes: [rows, columns], `stride` floats apart. */
interface Result {
  readonly rows: number;
  readonly out: number;
  readonly stride: number;
}

/** Address of a row of float32. */
const at = (address: number, row: number, stride: number): number => address + 4 * row * stride;
