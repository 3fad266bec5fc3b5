import { type LatentAttention, scoreFactorOf, type WeightDtype } from '@essaim/core';
import { PANEL, panelsNamed, type PanelTensor, type PieceLayout, quantisedStride } from '@essaim/panels';
import { widthOf } from './arena.ts';
import { ATTENTION_ROWS, attentionParts, spansWithin } from './attention-parts.ts';
import { ExpandedHeads, type Queries } from './expanded-heads.ts';
import { type AttendJob, type JobSpan } from './job.ts';
import { KEPT } from './kept.ts';
import { type Kernels } from './kernels.ts';
import { rowAt } from './phases.ts';
import { type AttentionProgram, type ProgramContext } from './program-context.ts';

/** Heads that one call of attention takes: they read each key once. */
const HEADS_AT_ONCE = 16;

/** From so many rows of a sequence on it is faster to make keys and values of all that they see than to compare them with latents, by the form of the weights. */
const EXPANDED_ROWS: Readonly<Record<WeightDtype, number>> = { float32: 192, int8: 64, int4: 64 };
/** The same at the beginning of a sequence, where no more keys are made than there are queries to be turned. */
const EXPANDED_FIRST_ROWS = 8;

/**
 * Multi-head latent attention: of a token only its latent and one rotated key are kept. In its absorbed form what makes a head's key of a latent
 * is applied to the query instead, and what makes its value to the sum of latents, so keys and values of the heads are never made. Where many rows of a sequence come
 * at once, and its bits may depend on that, keys and values are made instead: see `ExpandedHeads`.
 * @see DeepSeek-V2, arXiv:2405.04434, section 2.1.2
 */
export class LatentProgram implements AttentionProgram {
  readonly #context: ProgramContext;
  readonly #attention: LatentAttention;
  /** Of a key, and of a head's query once it is absorbed: latent, then rotated part. */
  readonly #keySize: number;
  readonly #headSize: number;
  readonly #expanded: ExpandedHeads;

  constructor(context: ProgramContext, attention: LatentAttention) {
    this.#context = context;
    this.#attention = attention;
    this.#keySize = attention.latentRank + attention.rotarySize;
    this.#headSize = attention.plainSize + attention.rotarySize;
    this.#expanded = new ExpandedHeads(context, attention);
  }

  run(job: AttendJob, layout: PieceLayout): void {
    const { spec, arena, bank, phases } = this.#context;
    const { queryRank } = this.#attention;
    const { kernels } = bank(job.bank);
    const [down, up, output] = ['down', 'up', 'output'].map((name) => panelsNamed(layout, name)) as [PanelTensor, PanelTensor, PanelTensor];
    const [stride, { rows }] = [widthOf(spec.hiddenSize), job];
    const projectedStride = down.panels * PANEL;
    const placed = (matrix: PanelTensor) => ({ kernels, piece: job.at, matrix });
    phases.linear(placed(down), { floats: arena.normed, stride, quantised: arena.quantised }, { rows, out: arena.projected, stride: projectedStride });
    phases.rows(rows, (row, count) => this.#keep(job, layout, down, row, count));
    let queries: Queries = { at: arena.projected, stride: projectedStride };
    if (queryRank !== null) {
      const query = panelsNamed(layout, 'query');
      queries = { at: arena.queries, stride: query.panels * PANEL };
      phases.linear(placed(query), { floats: arena.projected, stride: projectedStride, quantised: arena.quantisedLatent }, { rows, out: queries.at, stride: queries.stride });
    }
    const expands = ({ count, first }: JobSpan): boolean => !job.sameInAnyChunk && this.#expanded.fits && count >= (first === 0 ? EXPANDED_FIRST_ROWS : EXPANDED_ROWS[up.form]);
    const [long, short] = [job.spans.filter(expands), job.spans.filter((span) => !expands(span))];
    if (long.length > 0) this.#expanded.attend(job, up, queries, long);
    if (short.length > 0) this.#absorbed({ ...job, spans: short }, layout, queries);
    const attended = { floats: arena.attended, stride: widthOf(output.columns), quantised: arena.quantisedAttended };
    if (output.form !== 'float32') phases.rows(rows, (row, count) => kernels.quantise(rowAt(attended.floats, row, attended.stride), count, output.columns, attended.stride, attended.quantised + row * quantisedStride(output.columns)));
    phases.linear(placed(output), attended, { rows, out: arena.output, stride });
  }

  /** Of the rows of a job's spans, from their queries to `attended`. */
  #absorbed(job: AttendJob, layout: PieceLayout, queries: Queries): void {
    const { phases } = this.#context;
    const [keyUp, up, runs] = [panelsNamed(layout, 'keyUp'), panelsNamed(layout, 'up'), rowRuns(job.spans)];
    this.#heads((head) => runs.forEach((run) => this.#absorb(job, keyUp, queries, { head, ...run })));
    phases.rows(job.rows, (row, count) => this.#rotate(job, row, count));
    this.#attend(job);
    phases.rows(job.rows, (row, count) => this.#collect(job, row, count));
    this.#heads((head) => runs.forEach((run) => this.#values(job, up, { head, ...run })));
  }

  #heads(act: (head: number) => void): void {
    this.#context.phases.shares(this.#attention.headCount, (first, end) => {
      for (let head = first; head < end; head++) act(head);
    });
  }

  /** Norms both latents; the one of keys and values goes to the cache, with the key behind it, which is turned there. */
  #keep(job: AttendJob, layout: PieceLayout, down: PanelTensor, row: number, count: number): void {
    const { arena, bank } = this.#context;
    const { queryRank, latentRank, normEpsilon } = this.#attention;
    const { kernels, floats: from } = bank(job.bank);
    const stride = down.panels * PANEL;
    const latentAt = down.parts[1]!.firstPanel * PANEL;
    const norm = (name: string, address: number, width: number): void =>
      kernels.rmsNorm(address, job.at + layout.tensors[name]!.offset, normEpsilon, address, count, width, stride, stride);
    const projected = rowAt(arena.projected, row, stride);
    norm('latentNorm', projected + 4 * latentAt, latentRank);
    if (queryRank !== null) {
      norm('queryNorm', projected, queryRank);
      if (down.form !== 'float32') kernels.quantise(projected, count, queryRank, stride, arena.quantisedLatent + row * quantisedStride(queryRank));
    }
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const { kernels: beside, floats } = bank(span.bank);
      const rows = end - first;
      const keys = rowAt(arena.projected, first, stride) + 4 * latentAt;
      for (let at = keys / 4; at < keys / 4 + rows * stride; at += stride) floats.set(from.subarray(at, at + this.#keySize), at);
      this.#turn(beside, keys, 1, first, rows, stride, 0);
      const { bytes, copyRows } = KEPT[span.dtype];
      beside[copyRows](keys, stride, span.at + bytes * (span.first + first - span.row) * this.#keySize, this.#keySize, rows, this.#keySize);
    }
  }

  /** The part of heads behind the latent, by the angles of their rows. */
  #turn(kernels: Kernels, address: number, heads: number, row: number, count: number, stride: number, scale: number): void {
    const { arena } = this.#context;
    const { rotaryPairs, rotarySize, latentRank } = this.#attention;
    const turn = rotaryPairs === 'interleaved' ? 'rotatePairs' : 'rotateHalves';
    const [cos, sin] = [rowAt(arena.cos, row, rotarySize / 2), rowAt(arena.sin, row, rotarySize / 2)];
    kernels[turn](address, heads, this.#keySize, rotarySize, latentRank, count, stride, this.#keySize, cos, sin, scale);
  }

  /** A head's queries as latents are: through what makes keys of them, and their rotated part behind it. */
  #absorb(job: AttendJob, keyUp: PanelTensor, queries: Queries, { head, row, count }: HeadRows): void {
    const { arena, bank } = this.#context;
    const { headCount, plainSize, rotarySize, latentRank } = this.#attention;
    const { kernels } = bank(job.bank);
    const query = rowAt(queries.at, row, queries.stride) + 4 * head * this.#headSize;
    const absorbed = this.#multiply(job, keyUp, head, { address: query, stride: queries.stride, row, count });
    const stride = headCount * this.#keySize;
    const to = rowAt(arena.query, row, stride) + 4 * head * this.#keySize;
    kernels.copyRows(absorbed, keyUp.panels * PANEL, to, stride, count, latentRank);
    kernels.copyRows(query + 4 * plainSize, queries.stride, to + 4 * latentRank, stride, count, rotarySize);
  }

  /** What a head attended to, as its value. */
  #values(job: AttendJob, up: PanelTensor, { head, row, count }: HeadRows): void {
    const { arena, bank } = this.#context;
    const { headCount, latentRank, valueSize } = this.#attention;
    const [from, to] = [headCount * latentRank, widthOf(headCount * valueSize)];
    const values = this.#multiply(job, up, 2 * head, { address: rowAt(arena.mixed, row, from) + 4 * head * latentRank, stride: from, row, count });
    bank(job.bank).kernels.copyRows(values, up.panels * PANEL, rowAt(arena.attended, row, to) + 4 * head * valueSize, to, count, valueSize);
  }

  /** One of the matrices over its own columns of some rows; returns where the result is, rows as far apart as all of them are wide. */
  #multiply(job: AttendJob, matrix: PanelTensor, part: number, { address, stride, row, count }: PlacedRows): number {
    const { arena, bank, phases, thread } = this.#context;
    const { kernels } = bank(job.bank);
    const quantised = arena.quantisedHead + thread * arena.quantisedHeadBytes;
    if (matrix.form !== 'float32') kernels.quantise(address, count, matrix.columns, stride, quantised);
    const { firstPanel, rows } = matrix.parts[part]!;
    const width = matrix.panels * PANEL;
    const out = rowAt(arena.perHead, row, width);
    phases.panels({ kernels, piece: job.at, matrix }, { floats: address, stride, quantised }, { rows: count, out, stride: width }, firstPanel, firstPanel + Math.ceil(rows / PANEL));
    return out + 4 * firstPanel * PANEL;
  }

  /** Queries of rows go to where the sequence's keys are, and are turned there. */
  #rotate(job: AttendJob, row: number, count: number): void {
    const { spec, arena, bank } = this.#context;
    const { headCount } = this.#attention;
    const stride = headCount * this.#keySize;
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const { kernels, floats } = bank(span.bank);
      const start = arena.query / 4 + first * stride;
      floats.set(bank(job.bank).floats.subarray(start, arena.query / 4 + end * stride), start);
      this.#turn(kernels, rowAt(arena.query, first, stride), headCount, first, end - first, stride, spec.queryScaling === null ? 0 : rowAt(arena.queryScale, first, 1));
    }
  }

  /** Parts: some rows of a span, for some heads. */
  #attend(job: AttendJob): void {
    const { arena, bank, phases, scratch, threads } = this.#context;
    const { headCount, latentRank } = this.#attention;
    const [queryStride, stride] = [headCount * this.#keySize, headCount * latentRank];
    const atOnce = Math.min(HEADS_AT_ONCE, Math.ceil(headCount / threads));
    const groups = Math.ceil(headCount / atOnce);
    const parts = attentionParts(job.spans, ATTENTION_ROWS);
    phases.parts(parts.length * groups, (part) => {
      const { span, first, count } = parts[Math.floor(part / groups)]!;
      const head = (part % groups) * atOnce;
      const row = span.row + first;
      bank(span.bank).kernels[KEPT[span.dtype].attention](
        rowAt(arena.query, row, queryStride) + 4 * head * this.#keySize, queryStride, rowAt(arena.mixed, row, stride) + 4 * head * latentRank, stride,
        count, span.first + first, Math.min(atOnce, headCount - head), this.#keySize, latentRank, span.at, this.#keySize, span.at, this.#keySize,
        0, scoreFactorOf(this.#attention), scratch,
      );
    });
  }

  /** What rows attended to comes back to where the layer's weights are. */
  #collect(job: AttendJob, row: number, count: number): void {
    const { arena, bank } = this.#context;
    const stride = this.#attention.headCount * this.#attention.latentRank;
    for (const { span, first, end } of spansWithin(job, row, count)) {
      const start = arena.mixed / 4 + first * stride;
      bank(job.bank).floats.set(bank(span.bank).floats.subarray(start, arena.mixed / 4 + end * stride), start);
    }
  }
}

/** Rows [row, row + count) of a job. */
interface Rows {
  readonly row: number;
  readonly count: number;
}

interface HeadRows extends Rows {
  readonly head: number;
}

/** The first of them is at an address, the others `stride` floats apart. */
interface PlacedRows extends Rows {
  readonly address: number;
  readonly stride: number;
}

/** The rows of spans, those of neighbours as one: kernels take rows by fours. */
function rowRuns(spans: readonly JobSpan[]): Rows[] {
  const runs: { row: number; count: number }[] = [];
  for (const { row, count } of spans) {
    const last = runs.at(-1);
    if (last !== undefined && last.row + last.count === row) last.count += count;
    else runs.push({ row, count });
  }
  return runs;
}
