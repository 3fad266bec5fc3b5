import { type GroupedQueryAttention, scoreFactorOf } from '@essaim/core';
import { PANEL, panelsNamed, type PanelTensor, type PieceLayout, quantisedStride } from '@essaim/panels';
import { widthOf } from './arena.ts';
import { ATTENTION_ROWS, attentionParts, spansWithin } from './attention-parts.ts';
import { type AttendJob, type JobSpan } from './job.ts';
import { KEPT } from './kept.ts';
import { rowAt } from './phases.ts';
import { type AttentionProgram, type ProgramContext } from './program-context.ts';

/** Grouped-query attention: heads in groups that share a key and a value each. */
export class GroupedQueryProgram implements AttentionProgram {
  readonly #context: ProgramContext;
  readonly #attention: GroupedQueryAttention;

  constructor(context: ProgramContext, attention: GroupedQueryAttention) {
    this.#context = context;
    this.#attention = attention;
  }

  run(job: AttendJob, layout: PieceLayout): void {
    const { spec, arena, bank, phases } = this.#context;
    const { kernels } = bank(job.bank);
    const [qkv, output] = [panelsNamed(layout, 'qkv'), panelsNamed(layout, 'output')];
    const [stride, { rows }] = [widthOf(spec.hiddenSize), job];
    phases.linear({ kernels, piece: job.at, matrix: qkv }, { floats: arena.normed, stride, quantised: arena.quantised }, { rows, out: arena.projected, stride: qkv.panels * PANEL });
    phases.rows(rows, (row, count) => this.#rotate(job, qkv, row, count));
    this.#attend(job, qkv);
    phases.rows(rows, (row, count) => this.#collect(job, output, row, count));
    const attended = { floats: arena.attended, stride: widthOf(output.columns), quantised: arena.quantisedAttended };
    phases.linear({ kernels, piece: job.at, matrix: output }, attended, { rows, out: arena.output, stride });
  }

  /** Queries, keys and values of rows go to the memory where the sequence's keys and values are; queries and keys are turned there, and keys and values kept. */
  #rotate(job: AttendJob, qkv: PanelTensor, row: number, count: number): void {
    const { spec, arena, bank } = this.#context;
    const { headCount, kvHeadCount, headSize } = this.#attention;
    const stride = qkv.panels * PANEL;
    const [, keyAt, valueAt] = qkv.parts.map(({ firstPanel }) => 4 * firstPanel * PANEL);
    const from = bank(job.bank).floats;
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const { kernels, floats } = bank(span.bank);
      const rows = end - first;
      const query = rowAt(arena.projected, first, stride);
      floats.set(from.subarray(query / 4, query / 4 + rows * stride), query / 4);
      const angles = [rowAt(arena.cos, first, headSize / 2), rowAt(arena.sin, first, headSize / 2)] as const;
      const scale = spec.queryScaling === null ? 0 : rowAt(arena.queryScale, first, 1);
      kernels.rotateHalves(query, headCount, headSize, headSize, 0, rows, stride, headSize, ...angles, scale);
      kernels.rotateHalves(query + keyAt!, kvHeadCount, headSize, headSize, 0, rows, stride, headSize, ...angles, 0);
      const { bytes, copyRows } = KEPT[span.dtype];
      const position = span.first + first - span.row;
      for (let head = 0; head < kvHeadCount; head++) {
        const { keys, values } = this.#cache(span, head);
        const [source, target] = [query + 4 * head * headSize, bytes * position * headSize];
        kernels[copyRows](source + keyAt!, stride, keys + target, headSize, rows, headSize);
        kernels[copyRows](source + valueAt!, stride, values + target, headSize, rows, headSize);
      }
    }
  }

  /** Addresses of one head's keys and values of one sequence: [capacity, headSize] each. */
  #cache({ at, capacity, dtype }: JobSpan, head: number): { readonly keys: number; readonly values: number } {
    const bytes = KEPT[dtype].bytes * capacity * this.#attention.headSize;
    const keys = at + 2 * head * bytes;
    return { keys, values: keys + bytes };
  }

  /** Parts: some rows of a span, for one key-value head. */
  #attend(job: AttendJob, qkv: PanelTensor): void {
    const { arena, bank, phases, scratch } = this.#context;
    const { headCount, kvHeadCount, headSize, slidingWindow } = this.#attention;
    const group = headCount / kvHeadCount;
    const [stride, outStride] = [qkv.panels * PANEL, widthOf(headCount * headSize)];
    const parts = attentionParts(job.spans, ATTENTION_ROWS);
    phases.parts(parts.length * kvHeadCount, (part) => {
      const { span, first, count } = parts[Math.floor(part / kvHeadCount)]!;
      const head = part % kvHeadCount;
      const { keys, values } = this.#cache(span, head);
      const [row, queryAt] = [span.row + first, 4 * head * group * headSize];
      bank(span.bank).kernels[KEPT[span.dtype].attention](
        rowAt(arena.projected, row, stride) + queryAt, stride, rowAt(arena.attended, row, outStride) + queryAt, outStride,
        count, span.first + first, group, headSize, headSize, keys, headSize, values, headSize, slidingWindow ?? 0, scoreFactorOf(this.#attention), scratch,
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
