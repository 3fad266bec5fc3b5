import { setImmediate } from 'node:timers/promises';
import { AppError, assert, type ExpertKey, type ModelSpec } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '@essaim/dispatch';
import { type KvMemory } from '@essaim/kv';
import { layoutOf, type PanelModel, type PanelPiece, panelsNamed, pieceName, type PieceLayout } from '@essaim/panels';
import { type Attended, type AttentionStep, type ModelPieces } from '@essaim/runner';
import { type Arena, HEAD_ROWS, JOB_ROWS } from './arena.ts';
import { ArenaRows } from './arena-rows.ts';
import { BANK_BYTES } from './bank.ts';
import { Banks, type Placed } from './banks.ts';
import { type PanelFile } from './compile-panels.ts';
import { embedRows } from './embedding.ts';
import { feedForwardJobs } from './feed-forward-jobs.ts';
import { type Job, type JobSpan } from './job.ts';
import { arenaFor, checkAddressable } from './model-arena.ts';
import { kernelsModule } from './module.ts';
import { layoutsOf } from './piece-layouts.ts';
import { Program } from './program.ts';
import { type ModelSetup } from './team-thread.ts';
import { Team } from './team.ts';

export interface KernelModelOptions {
  readonly model: PanelModel;
  /** The serving thread's own included. */
  readonly threads: number;
  /** The file that another thread runs, see `runTeamThread`; for more than one thread. */
  readonly threadEntry: URL | null;
  /** Of each memory, a multiple of 64 KiB. Default: 4 GiB, as far as addresses reach. */
  readonly bankBytes?: number;
}

interface Loaded extends Placed {
  readonly piece: PanelPiece;
  readonly layout: PieceLayout;
}

/**
 * The pieces of a model that this process holds, dense part and experts alike, computed on the processor by kernels of our own. Weights lie in
 * memory that all threads see, each byte once, so any thread computes any part of any piece. Owns that memory and the other threads.
 */
export class KernelModel implements ModelPieces, ExpertRunner {
  readonly #spec: ModelSpec;
  readonly #model: PanelModel;
  readonly #arena: Arena;
  readonly #team: Team<ModelSetup>;
  readonly #banks: Banks;
  readonly #program: Program;
  readonly #rows: ArenaRows;
  readonly #loaded = new Map<string, Loaded>();
  /** Ends when nobody runs: the threads do one job at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  private constructor({ model, threads, threadEntry, bankBytes = BANK_BYTES }: KernelModelOptions, module: WebAssembly.Module) {
    this.#model = model;
    this.#spec = model.spec;
    const layouts = layoutsOf(model);
    const arena = arenaFor(model.spec, layouts, { module, threads });
    const size = { arenaBytes: arena.bytes, bytes: bankBytes };
    checkAddressable(model, layouts, { size, threads });
    this.#arena = arena;
    this.#team = new Team({ threads, entry: threadEntry, setup: { spec: model.spec, layouts, arena, module } });
    this.#banks = new Banks(module, size);
    this.#program = new Program({ spec: model.spec, layouts, arena, thread: 0, threads, signal: this.#team.signal, bank: (bank) => this.#banks.view(bank) });
    this.#rows = new ArenaRows({ arena, hiddenSize: model.spec.hiddenSize, view: (bank) => this.#banks.view(bank) });
  }

  /** Fails with `resource_exhausted` for a model that is too large for this runtime. */
  static async open(options: KernelModelOptions): Promise<KernelModel> {
    return new KernelModel(options, await kernelsModule());
  }

  /** Where the keys and values of its sequences have to be. */
  get kvMemory(): KvMemory {
    return this.#banks.kvMemory;
  }

  /** Bytes of weights that are loaded. */
  get weightBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { layout }) => sum + layout.bytes, 0);
  }

  /** What is taken of the memory for weights is what the pieces have; for when nothing is loaded or unloaded. */
  checkIntegrity(): void {
    const taken = this.#banks.taken('weights');
    assert(taken === this.weightBytes, `${taken} bytes are taken for weights, and the pieces have ${this.weightBytes}`);
  }

  has(piece: PanelPiece): boolean {
    return this.#loaded.has(pieceName(piece));
  }

  pieces(): PanelPiece[] {
    return [...this.#loaded.values()].map(({ piece }) => piece);
  }

  /** Reads a piece's file into memory, beside whatever is computed meanwhile. Fails with `data_loss` for a file that is not what was compiled. */
  async load({ piece, file }: PanelFile): Promise<void> {
    this.#checkOpen();
    if (this.has(piece)) return;
    const layout = layoutOf(this.#model, piece);
    const placed = await this.#banks.load(file, layout.bytes);
    this.#checkOpen();
    // Another call may have loaded it meanwhile.
    if (this.has(piece)) this.#banks.free(placed);
    else this.#loaded.set(pieceName(piece), { ...placed, piece, layout });
  }

  unload(piece: PanelPiece): Promise<void> {
    // From now on nobody is sent here; who was, is done first.
    const loaded = this.#loaded.get(pieceName(piece));
    if (!this.#loaded.delete(pieceName(piece)) || loaded === undefined || this.#closing !== null) return Promise.resolve();
    return this.#alone(() => this.#banks.free(loaded));
  }

  /** Ends the threads and gives all memory up when what was asked before is done. What is asked afterwards is refused with `unavailable`. */
  close(): Promise<void> {
    this.#closing ??= this.#alone(async () => {
      await this.#team.close();
      this.#loaded.clear();
      this.#banks.close();
    });
    return this.#closing;
  }

  embed(tokenIds: readonly number[]): Promise<Float32Array> {
    return this.#alone(() => {
      const { bank, at, layout } = this.#piece({ kind: 'embed' });
      return embedRows(this.#banks.view(bank).floats.buffer, at, layout, tokenIds);
    });
  }

  attend(layer: number, hidden: Float32Array, step: AttentionStep): Promise<Attended> {
    const { hiddenSize } = this.#spec;
    const rows = hidden.length / hiddenSize;
    return this.#alone(() => {
      const { bank, at, layout } = this.#piece({ kind: 'layer', layer });
      const experts = layout.tensors['router'] === undefined ? 0 : panelsNamed(layout, 'router').rows;
      const output = { next: new Float32Array(hidden.length), normed: new Float32Array(hidden.length), routerLogits: experts === 0 ? null : new Float32Array(rows * experts) };
      for (let row = 0; row < rows; row += JOB_ROWS) {
        const count = Math.min(JOB_ROWS, rows - row);
        const spans = this.#spans(layer, step, row, count);
        this.#rows.setAngles(new Set([bank, ...spans.map((span) => span.bank)]), step, row, count);
        this.#rows.put(bank, { array: hidden, row, count });
        this.#run({ kind: 'attend', layer, bank, at, rows: count, sameInAnyChunk: step.sameInAnyChunk, spans });
        this.#rows.get({ bank, address: this.#arena.next, width: hiddenSize }, { array: output.next, row, count });
        this.#rows.get({ bank, address: this.#arena.normed, width: hiddenSize }, { array: output.normed, row, count });
        if (output.routerLogits !== null) this.#rows.get({ bank, address: this.#arena.router, width: experts }, { array: output.routerLogits, row, count });
      }
      return { ...output, ...this.#correctionBias({ bank, at, layout }) };
    });
  }

  async dense(layer: number, activations: Float32Array): Promise<Float32Array> {
    const [output] = await this.#alone(() => this.#feedForward({ layer, routed: false }, [{ loaded: this.#piece({ kind: 'dense', layer }), activations }]));
    return output!;
  }

  holds(key: ExpertKey): boolean {
    return this.has({ kind: 'expert', ...key });
  }

  run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    return this.#alone(() => {
      const found = groups.map(({ expert, activations }) => {
        const loaded = this.#loaded.get(pieceName({ kind: 'expert', layer, expert }));
        if (loaded === undefined) throw new AppError('failed_precondition', `expert ${expert} of layer ${layer} is not on this worker`);
        return { loaded, activations };
      });
      return this.#feedForward({ layer, routed: true }, found);
    });
  }

  head(hidden: Float32Array): Promise<Float32Array> {
    const { hiddenSize, vocabSize } = this.#spec;
    const rows = hidden.length / hiddenSize;
    return this.#alone(() => {
      const { bank, at } = this.#piece({ kind: 'head' });
      const logits = new Float32Array(rows * vocabSize);
      for (let row = 0; row < rows; row += HEAD_ROWS) {
        const count = Math.min(HEAD_ROWS, rows - row);
        this.#rows.put(bank, { array: hidden, row, count });
        this.#run({ kind: 'head', bank, at, rows: count });
        this.#rows.get({ bank, address: this.#arena.logits, width: vocabSize }, { array: logits, row, count });
      }
      return logits;
    });
  }

  /** The bias of a layer's router, if it has one. */
  #correctionBias({ bank, at, layout }: Omit<Loaded, 'piece'>): Pick<Attended, 'correctionBias'> {
    const bias = layout.tensors['correctionBias'];
    if (bias === undefined) return {};
    const first = (at + bias.offset) / 4;
    return { correctionBias: this.#banks.view(bank).floats.slice(first, first + bias.columns) };
  }

  /** Networks of one layer, each over its own rows. */
  #feedForward({ layer, routed }: { readonly layer: number; readonly routed: boolean }, networks: readonly { readonly loaded: Loaded; readonly activations: Float32Array }[]): Float32Array[] {
    const { hiddenSize } = this.#spec;
    const outputs = networks.map(({ activations }) => new Float32Array(activations.length));
    for (const job of feedForwardJobs(networks.map(({ loaded, activations }) => ({ bank: loaded.bank, rows: activations.length / hiddenSize })))) {
      const { bank } = networks[job[0]!.nth]!.loaded;
      let to = 0;
      for (const { nth, row, count } of job) {
        this.#rows.put(bank, { array: networks[nth]!.activations, row, count }, to);
        to += count;
      }
      this.#run({ kind: 'feed-forward', layer, routed, bank, groups: job.map(({ nth, count }) => ({ at: networks[nth]!.loaded.at, rows: count })) });
      let from = 0;
      for (const { nth, row, count } of job) {
        this.#rows.get({ bank, address: this.#arena.output, width: hiddenSize }, { array: outputs[nth]!, row, count }, from);
        from += count;
      }
    }
    return outputs;
  }

  #run(job: Job): void {
    this.#team.run(job, () => this.#program.run(job));
  }

  /** The spans' parts within the rows [first, first + count), in the job's own rows. */
  #spans(layer: number, { spans }: AttentionStep, first: number, count: number): JobSpan[] {
    return spans.flatMap((span): JobSpan[] => {
      const [from, end] = [Math.max(span.row, first), Math.min(span.row + span.count, first + count)];
      if (from >= end) return [];
      const { cache: { length, layout, buffer } } = span;
      return [{ row: from - first, count: end - from, first: length + from - span.row, ...this.#banks.kvPlace(buffer.layers[layer]!), capacity: buffer.capacity, dtype: layout.dtype }];
    });
  }

  #piece(piece: PanelPiece): Loaded {
    const loaded = this.#loaded.get(pieceName(piece));
    assert(loaded, `${pieceName(piece)} is loaded before it runs`);
    return loaded;
  }

  /**
   * One after the other, in the order of asking. Before each the event loop gets a turn, in which what was handed to the network leaves and
   * what has come is read: Node writes frames of HTTP/2 at the end of a turn, so without one the others would get theirs when this is done.
   */
  async #alone<T>(act: () => T | Promise<T>): Promise<T> {
    this.#checkOpen();
    const result = this.#last.then(async () => {
      await setImmediate();
      // None is left when `act` begins: more may come while the threads are told of one.
      for (let next = this.#banks.unshared; next !== null; next = this.#banks.unshared) {
        await this.#team.tell({ kind: 'bank', ...next });
        this.#banks.share();
      }
      return act();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new AppError('unavailable', 'the model of this worker is closed: use another worker');
  }
}
