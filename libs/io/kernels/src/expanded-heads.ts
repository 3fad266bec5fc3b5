import { type LatentAttention, scoreFactorOf } from '@essaim/core';
import { PANEL, type PanelTensor, quantisedStride } from '@essaim/panels';
import { JOB_ROWS, widthOf } from './arena.ts';
import { type AttendJob, type JobSpan } from './job.ts';
import { KEPT } from './kept.ts';
import { type Kernels } from './kernels.ts';
import { rowAt } from './phases.ts';
import { type ProgramContext } from './program-context.ts';

/** Heads that a part takes in turns: latents are brought and quantised once for them. */
const HEADS_IN_TURNS = 8;
/** Positions whose keys and values are there at once, as the kernel meets them: those of a head stay in a first-level cache. */
const CHUNK = 64;

/** Queries of all heads, [rows, heads of a plain and a rotated part], `stride` floats apart. */
export interface Queries {
  readonly at: number;
  readonly stride: number;
}

/** Where a thread has what, from the start of its place on. */
interface ExpandingPlaces {
  /** Of the kernel. */
  readonly scratch: number;
  /** [CHUNK, latent and rotated key] as float32, and the latents quantised. */
  readonly latents: number;
  readonly quantised: number;
  /** [CHUNK, a head's value, then its key], `madeStride` floats apart. */
  readonly made: number;
  readonly madeStride: number;
  /** A multiple of 64. */
  readonly bytes: number;
}

export function expandingPlaces({ latentRank, plainSize, rotarySize, valueSize }: LatentAttention, { columns }: PanelTensor, kernels: Kernels): ExpandingPlaces {
  const madeStride = widthOf(valueSize) + widthOf(plainSize + rotarySize);
  const [latents, quantised] = [4 * CHUNK * (latentRank + rotarySize), CHUNK * quantisedStride(columns)];
  const scratch = Math.ceil(kernels.headsScratchBytes(JOB_ROWS, HEADS_IN_TURNS, plainSize + rotarySize) / 64) * 64;
  return { scratch: 0, latents: scratch, quantised: scratch + latents, made: scratch + latents + quantised, madeStride, bytes: scratch + latents + quantised + 4 * CHUNK * madeStride };
}

/**
 * Latent attention whose keys and values are made of latents, chunk by chunk and head by head, and forgotten: a query then meets keys of a third of a latent's width, and the making is paid once for all
 * rows of a span. Everything happens where the layer's weights are.
 */
export class ExpandedHeads {
  readonly #context: ProgramContext;
  readonly #attention: LatentAttention;
  readonly #headSize: number;

  constructor(context: ProgramContext, attention: LatentAttention) {
    this.#context = context;
    this.#attention = attention;
    this.#headSize = attention.plainSize + attention.rotarySize;
  }

  /** Whether the kernel can meet heads of these sizes. */
  get fits(): boolean {
    return this.#headSize % 4 === 0 && this.#attention.valueSize % 4 === 0;
  }

  /** From the queries of some spans, which are turned in place, to `attended`. Parts: a span, for some heads. */
  attend(job: AttendJob, up: PanelTensor, queries: Queries, spans: readonly JobSpan[]): void {
    const { phases, threads } = this.#context;
    const { headCount } = this.#attention;
    const inTurns = Math.min(HEADS_IN_TURNS, Math.ceil(headCount / threads));
    const groups = Math.ceil(headCount / inTurns);
    phases.parts(spans.length * groups, (part) => {
      const first = (part % groups) * inTurns;
      this.#attend({ job, up, queries, span: spans[Math.floor(part / groups)]! }, first, Math.min(inTurns, headCount - first));
    });
  }

  #attend(of: OfSpan, firstHead: number, heads: number): void {
    const { arena, bank, thread } = this.#context;
    const { headCount, valueSize } = this.#attention;
    const { job, up, queries, span: { row, count, first } } = of;
    const { kernels } = bank(job.bank);
    const place = arena.expanding + thread * arena.expandingBytes;
    const { scratch, made, madeStride } = expandingPlaces(this.#attention, up, kernels);
    const stride = widthOf(headCount * valueSize);
    this.#turn(of, firstHead, heads);
    const [query, out] = [rowAt(queries.at, row, queries.stride), rowAt(arena.attended, row, stride)];
    for (let nth = 0; nth < heads; nth++) {
      const head = firstHead + nth;
      kernels.beginHead(nth, query + 4 * head * this.#headSize, queries.stride, out + 4 * head * valueSize, stride, count, this.#headSize, valueSize, place + scratch);
    }
    const [values, keys] = [place + made, place + made + 4 * widthOf(valueSize)];
    for (let chunk = 0; chunk < first + count; chunk += CHUNK) {
      const positions = Math.min(CHUNK, first + count - chunk);
      this.#bring(of, place, chunk, positions);
      for (let nth = 0; nth < heads; nth++) {
        this.#make(of, place, firstHead + nth, positions);
        kernels.meetChunk(nth, chunk, count, first, this.#headSize, valueSize, keys, madeStride, values, madeStride, scoreFactorOf(this.#attention), place + scratch);
      }
    }
    for (let nth = 0; nth < heads; nth++) kernels.finishHead(nth, count, this.#headSize, valueSize, place + scratch);
  }

  #turn({ job, queries, span: { row, count } }: OfSpan, firstHead: number, heads: number): void {
    const { spec, arena, bank } = this.#context;
    const { rotaryPairs, rotarySize, plainSize } = this.#attention;
    const turn = rotaryPairs === 'interleaved' ? 'rotatePairs' : 'rotateHalves';
    const [cos, sin, scale] = [rowAt(arena.cos, row, rotarySize / 2), rowAt(arena.sin, row, rotarySize / 2), spec.queryScaling === null ? 0 : rowAt(arena.queryScale, row, 1)];
    const at = rowAt(queries.at, row, queries.stride) + 4 * firstHead * this.#headSize;
    bank(job.bank).kernels[turn](at, heads, this.#headSize, rotarySize, plainSize, count, queries.stride, this.#headSize, cos, sin, scale);
  }

  /** Latents and rotated keys of some positions come from where the sequence's are. */
  #bring({ job, up, span }: OfSpan, place: number, position: number, positions: number): void {
    const { bank } = this.#context;
    const { latentRank, rotarySize } = this.#attention;
    const keySize = latentRank + rotarySize;
    const { kernels, floats } = bank(job.bank);
    const beside = bank(span.bank);
    const places = expandingPlaces(this.#attention, up, kernels);
    const latents = place + places.latents;
    const { bytes, widen } = KEPT[span.dtype];
    beside.kernels[widen](span.at + bytes * position * keySize, keySize, latents, keySize, positions, keySize);
    if (span.bank !== job.bank) floats.set(beside.floats.subarray(latents / 4, latents / 4 + positions * keySize), latents / 4);
    if (up.form !== 'float32') kernels.quantise(latents, positions, latentRank, keySize, place + places.quantised);
  }

  /** A head's values and keys of the positions that were brought. */
  #make({ job, up }: OfSpan, place: number, head: number, positions: number): void {
    const { bank, phases } = this.#context;
    const { latentRank, plainSize, rotarySize, valueSize } = this.#attention;
    const keySize = latentRank + rotarySize;
    const { kernels } = bank(job.bank);
    const { latents, quantised, made, madeStride } = expandingPlaces(this.#attention, up, kernels);
    const [value, key] = [up.parts[2 * head]!, up.parts[2 * head + 1]!];
    const result = { rows: positions, out: place + made - 4 * value.firstPanel * PANEL, stride: madeStride };
    const input = { floats: place + latents, stride: keySize, quantised: place + quantised };
    phases.panels({ kernels, piece: job.at, matrix: up }, input, result, value.firstPanel, key.firstPanel + Math.ceil(key.rows / PANEL));
    kernels.copyRows(place + latents + 4 * latentRank, keySize, place + made + 4 * (widthOf(valueSize) + plainSize), madeStride, positions, rotarySize);
  }
}

/** What a part computes of. */
interface OfSpan {
  readonly job: AttendJob;
  readonly up: PanelTensor;
  readonly queries: Queries;
  readonly span: JobSpan;
}
