import { type GroupedQueryAttention, scoreFactorOf } from '@essaim/core';
import { PANEL, panelsNamed, type PanelTensor, type PieceLayout, quantisedStride } from '@essaim/panels';
import { widthOf } from './arena.ts';
import { ATTENTION_ROWS, attentionParts, spansWithin } from './attention-parts.ts';
import { type AttendJob, type JobSpan } from './job.ts';
import { rowAt } from './phases.ts';
import { type AttentionProgram, type ProgramContext } from './program-context.ts';

/** Grouped-query attention: heads in groups that share a key and a value each. */
export class GroupedQueryProgram implements AttentionProgram {
  readonly #context: ProgramContext;
  readonly #attention: GroupedQueryAttention;
  readonly #queryWidth: number;
  readonly #keyWidth: number;

  constructor(context: ProgramContext, attention: GroupedQueryAttention) {
    this.#context = context;
    this.#attention = attention;
    this.#queryWidth = attention.headCount * attention.headSize;
    this.#keyWidth = attention.kvHeadCount * attention.headSize;
  }

  run(job: AttendJob, layout: PieceLayout): void {
    const { spec, arena, bank, phases } = this.#context;
    const { kernels } = bank(job.bank);
    const [qkv, output] = [panelsNamed(layout, 'qkv'), panelsNamed(layout, 'output')];
    const [stride, { rows }] = [widthOf(spec.hiddenSize), job];
    phases.linear({ kernels, piece: job.at, matrix: qkv }, { floats: arena.normed, stride, quantised: arena.quantised }, { rows, out: arena.projected, stride: qkv.panels * PANEL });
    phases.rows(rows, (row, count) => this.#rotate(job, qkv, row, count));
    this.#attend(job);
    phases.rows(rows, (row, count) => this.#collect(job, output, row, count));
    const attended = { floats: arena.attended, stride: widthOf(output.columns), quantised: arena.quantisedAttended };
    phases.linear({ kernels, piece: job.at, matrix: output }, attended, { rows, out: arena.output, stride });
  }

  /** Queries, keys and values of rows go to where the sequence's keys and values are; queries and keys are turned there. */
  #rotate(job: AttendJob, qkv: PanelTensor, row: number, count: number): void {
    const { spec, arena, bank } = this.#context;
    const { headCount, kvHeadCount, headSize } = this.#attention;
    const [queryWidth, keyWidth, stride] = [this.#queryWidth, this.#keyWidth, qkv.panels * PANEL];
    const [, keyAt, valueAt] = qkv.parts.map(({ firstPanel }) => firstPanel * PANEL);
    const from = bank(job.bank).floats;
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const { kernels, floats } = bank(span.bank);
      const { keys, values } = this.#cache(span);
      const position = span.first + first - span.row;
      for (let nth = first; nth < end; nth++) {
        const source = arena.projected / 4 + nth * stride;
        const target = position + nth - first;
        floats.set(from.subarray(source, source + queryWidth), arena.query / 4 + nth * queryWidth);
        floats.set(from.subarray(source + keyAt!, source + keyAt! + keyWidth), keys / 4 + target * keyWidth);
        floats.set(from.subarray(source + valueAt!, source + valueAt! + keyWidth), values / 4 + target * keyWidth);
      }
      const angles = [rowAt(arena.cos, first, headSize / 2), rowAt(arena.sin, first, headSize / 2)] as const;
      const scale = spec.queryScaling === null ? 0 : rowAt(arena.queryScale, first, 1);
      kernels.rotateHalves(rowAt(arena.query, first, queryWidth), headCount, headSize, headSize, 0, end - first, queryWidth, headSize, ...angles, scale);
      kernels.rotateHalves(rowAt(keys, position, keyWidth), kvHeadCount, headSize, headSize, 0, end - first, keyWidth, headSize, ...angles, 0);
    }
  }

  /** Addresses of the layer's keys and values of one sequence: [capacity, width] each. */
  #cache({ at, capacity }: JobSpan): { readonly keys: number; readonly values: number } {
    return { keys: at, values: at + 4 * capacity * this.#keyWidth };
  }

  /** Parts: some rows of a span, for one key-value head. */
  #attend(job: AttendJob): void {
    const { arena, bank, phases, scratch } = this.#context;
    const { headCount, kvHeadCount, headSize, slidingWindow } = this.#attention;
    const group = headCount / kvHeadCount;
    const stride = widthOf(this.#queryWidth);
    const parts = attentionParts(job.spans, ATTENTION_ROWS);
    phases.parts(parts.length * kvHeadCount, (part) => {
      const { span, first, count } = parts[Math.floor(part / kvHeadCount)]!;
      const head = part % kvHeadCount;
      const { kernels } = bank(span.bank);
      const { keys, values } = this.#cache(span);
      const row = span.row + first;
      kernels.attention(
        rowAt(arena.query, row, this.#queryWidth) + 4 * head * group * headSize, this.#queryWidth, rowAt(arena.attended, row, stride) + 4 * head * group * headSize, stride,
        count, span.first + first, group, headSize, headSize, keys + 4 * head * headSize, this.#keyWidth, values + 4 * head * headSize, this.#keyWidth,
        slidingWindow ?? 0, scoreFactorOf(this.#attention), scratch,
      );
    });
  }

  /** What rows attended to comes back to where the layer's weights are. */
  #collect(job: AttendJob, output: PanelTensor, row: number, count: number): void {
    const { arena, bank } = this.#context;
    const { kernels, floats } = bank(job.bank);
    const [width, stride] = [output.columns, widthOf(output.columns)];
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const start = arena.attended / 4 + first * stride;
      floats.set(bank(span.bank).floats.subarray(start, arena.attended / 4 + end * stride), start);
    }
    if (output.form !== 'float32') kernels.quantise(rowAt(arena.attended, row, stride), count, width, stride, arena.quantisedAttended + row * quantisedStride(width));
  }
}
