import { type Tensor } from 'onnxruntime-node';
import { AppError, assert, type ModelSpec } from '@essaim/core';
import { type AddedRows } from '@essaim/dispatch';
import { pieceName } from '@essaim/graph';
import { type AttentionStep, type DeviceState, type KeptLogits, type RouterOutput } from '@essaim/runner';
import { type DeviceAttention } from './device-attention.ts';
import { DeviceLogits } from './device-logits.ts';
import { type DeviceSession, type Feeds, floats, hostFloats, longs } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';
import { StepInputs } from './step-inputs.ts';

export interface DeviceStepContext {
  readonly spec: ModelSpec;
  readonly graphs: PlainGraphs;
  readonly attention: DeviceAttention;
  /** @see `StepInputsOptions` */
  readonly mostTokens: number;
  /** The graphs of a piece; null where it is not loaded. */
  readonly piece: (name: string) => readonly DeviceSession[] | null;
  /** Whether what a graph puts out can stay on the device. */
  readonly staysOnDevice: boolean;
}

/** Kernels of quantised products compute so many rows as fast as one, or nearly: they are bounded by what they read. */
const FEW_ROWS = 32;

type ExpertRows = Extract<AddedRows, { kind: 'expert' }>;

interface Gates {
  /** [rows, experts], on the device. */
  readonly tensor: Tensor;
  /** By the experts' ids. */
  readonly columns: ReadonlyMap<number, number>;
}

/** Which column of its gates an expert takes. */
export const columnOf = (column: number): Feeds => ({ column: longs([column]), columnEnd: longs([column + 1]) });

/** The hidden states of one step. Each graph makes new tensors of them, and the old ones are given up at once. */
export class DeviceStep implements DeviceState {
  readonly rowCount: number;
  readonly #context: DeviceStepContext;
  /** The residual stream, [rows, hidden]. */
  #hidden: Tensor;
  /** The input of the networks of the layer at hand. */
  #normed: Tensor | null = null;
  #inputs: StepInputs | null = null;
  /** What is on the device for this step, whatever became of the graph that it was for. */
  readonly #live = new Set<Tensor>();
  /** Ends when nothing that was asked for is left to do. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: DeviceStepContext, hidden: Tensor) {
    this.#context = context;
    this.#hidden = hidden;
    this.#live.add(hidden);
    this.rowCount = hidden.dims[0]!;
  }

  attend(layer: number, step: AttentionStep): Promise<RouterOutput> {
    return this.#inTurn(async () => {
      const { spec, graphs, attention, mostTokens } = this.#context;
      const [before, after] = this.#piece(`layer.${layer}`);
      this.#inputs ??= await StepInputs.open({ spec, graphs, mostTokens }, step);
      const projected = await before!.run({ hidden: this.#hidden, ...this.#inputs.angles });
      for (const tensor of Object.values(projected)) this.#kept(tensor);
      const attended = await attention.attend({ layer, projected, inputs: this.#inputs, own: (tensor) => this.#kept(tensor) });
      const { next, normed, routerLogits, correctionBias } = await after!.run({ attended, hidden: this.#hidden });
      this.#free();
      this.#hidden = this.#kept(next!);
      this.#normed = this.#kept(normed!);
      return { routerLogits: routerLogits === undefined ? null : hostFloats(routerLogits), ...(correctionBias !== undefined && { correctionBias: hostFloats(correctionBias) }) };
    });
  }

  inputs(rows: Uint32Array): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const { output } = await (await this.#context.graphs.take()).run({ values: this.#input(), rows: longs(rows) });
      return hostFloats(output!);
    });
  }

  add(layer: number, parts: readonly AddedRows[]): Promise<void> {
    return this.#inTurn(async () => {
      const missing = parts.find((part) => part.kind === 'expert' && this.#context.piece(pieceName({ ...part, layer })) === null);
      if (missing?.kind === 'expert') throw new AppError('failed_precondition', `layer ${layer}, expert ${missing.expert} is not loaded here: take the newest placement and call another replica`);
      const gates = await this.#gatesOf(parts);
      for (const part of parts) {
        if (part.kind === 'expert') await this.#addExpert(this.#piece(pieceName({ ...part, layer }))[0]!, part, gates);
        else if (part.rows.length > 0) {
          const values = floats(part.values, [part.rows.length, this.#context.spec.hiddenSize]);
          await this.#addWith(await this.#context.graphs.add(), { values, places: longs(this.#places(part.rows, () => part.rows.length)) });
        }
      }
    });
  }

  addDense(layer: number): Promise<void> {
    return this.#inTurn(() => this.#addWith(this.#piece(`dense.${layer}`)[0]!, { normed: this.#input() }));
  }

  squares(): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const { output } = await (await this.#context.graphs.squares()).run({ hidden: this.#hidden });
      return hostFloats(output!);
    });
  }

  logits(rows: Uint32Array): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const logits = await this.#head(rows);
      if (!this.#context.staysOnDevice) return hostFloats(logits);
      const kept = new DeviceLogits(logits, this.#context.graphs);
      try {
        return await kept.take(rows.map((_, nth) => nth));
      } finally {
        kept.release();
      }
    });
  }

  keepLogits(rows: Uint32Array): Promise<KeptLogits> | null {
    if (!this.#context.staysOnDevice) return null;
    return this.#inTurn(async () => new DeviceLogits(await this.#head(rows), this.#context.graphs));
  }

  release(): void {
    void this.#inTurn(async () => {
      this.#free();
      this.#inputs?.release();
    });
  }

  async #head(rows: Uint32Array): Promise<Tensor> {
    const { logits } = await this.#piece('head')[0]!.run({ hidden: this.#hidden, rows: longs(rows) });
    return logits!;
  }

  #kept(tensor: Tensor): Tensor {
    this.#live.add(tensor);
    return tensor;
  }

  #drop(tensor: Tensor): void {
    tensor.dispose();
    this.#live.delete(tensor);
  }

  /** All that a layer has used up, or the step. */
  #free(): void {
    for (const tensor of this.#live) tensor.dispose();
    this.#live.clear();
  }

  /** Of few rows the gates of all experts, put on the device at once: [rows, experts]. */
  async #gatesOf(parts: readonly AddedRows[]): Promise<Gates | null> {
    const experts = parts.filter((part) => part.kind === 'expert');
    if (this.rowCount > FEW_ROWS || experts.length === 0) return null;
    const gates = new Float32Array(this.rowCount * experts.length);
    for (const [column, part] of experts.entries()) part.rows.forEach((row, nth) => (gates[row * experts.length + column] = part.gates[nth]!));
    const { 'output.0': tensor } = await (await this.#context.graphs.copy([2])).run({ 'values.0': floats(gates, [this.rowCount, experts.length]) });
    return { tensor: this.#kept(tensor!), columns: new Map(experts.map(({ expert }, column) => [expert, column])) };
  }

  /** Few rows all pass the expert, times 0 where they aren't its own: matrices are read once for any of them, and the rows need not be gathered. */
  async #addExpert(expert: DeviceSession, { expert: id, rows, gates }: ExpertRows, ofAll: Gates | null): Promise<void> {
    if (ofAll !== null) return this.#addWith(expert, { normed: this.#input(), gates: ofAll.tensor, ...columnOf(ofAll.columns.get(id)!) });
    const { graphs } = this.#context;
    const { takenNormed, takenNext } = await (await graphs.takeBoth()).run({ normed: this.#input(), next: this.#hidden, rows: longs(rows) });
    const { sum } = await expert.run({ normed: this.#kept(takenNormed!), next: this.#kept(takenNext!), gates: floats(gates, [rows.length, 1]), ...columnOf(0) });
    const places = longs(this.#places(rows, (row) => row, this.rowCount));
    await this.#addWith(await graphs.put(), { values: this.#kept(sum!), places });
    for (const tensor of [takenNormed!, takenNext!, sum!]) this.#drop(tensor);
  }

  async #addWith(session: DeviceSession, feeds: Feeds): Promise<void> {
    const { sum } = await session.run({ ...feeds, next: this.#hidden });
    this.#drop(this.#hidden);
    this.#hidden = this.#kept(sum!);
  }

  /** Of each row of the step its place among some, counted from `first`, or, of the others, what they have instead. */
  #places(rows: Uint32Array, others: (row: number) => number, first = 0): Uint32Array {
    const places = Uint32Array.from({ length: this.rowCount }, (_, row) => others(row));
    rows.forEach((row, nth) => (places[row] = first + nth));
    return places;
  }

  #input(): Tensor {
    assert(this.#normed, 'a layer begins with its attention');
    return this.#normed;
  }

  #piece(name: string): readonly DeviceSession[] {
    const sessions = this.#context.piece(name);
    assert(sessions, `${name} is loaded before it runs`);
    return sessions;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
