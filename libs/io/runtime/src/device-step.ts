import { type Tensor } from 'onnxruntime-node';
import { AppError, assert, type ModelSpec } from '@essaim/core';
import { type AddedRows } from '@essaim/dispatch';
import { attentionOf, pieceName } from '@essaim/graph';
import { type AttentionSpan, type AttentionStep, type DeviceState, type KeptLogits, type RouterOutput } from '@essaim/runner';
import { type DeviceKeys } from './device-keys.ts';
import { DeviceLogits } from './device-logits.ts';
import { type DeviceSession, type Feeds, floats, hostFloats, longs } from './device-session.ts';
import { type PlainGraphs, SEQUENCES_AT_ONCE } from './plain-graphs.ts';
import { StepInputs } from './step-inputs.ts';

export interface DeviceStepContext {
  readonly spec: ModelSpec;
  readonly graphs: PlainGraphs;
  readonly keys: DeviceKeys;
  /** The graphs of a piece; null where it is not loaded. */
  readonly piece: (name: string) => readonly DeviceSession[] | null;
  /** Whether what a graph puts out can stay on the device. */
  readonly staysOnDevice: boolean;
}

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
      const { spec, graphs } = this.#context;
      const [before, after] = this.#piece(`layer.${layer}`);
      this.#inputs ??= await StepInputs.open(spec, step, graphs);
      const projected = await before!.run({ hidden: this.#hidden, ...this.#inputs.angles });
      for (const tensor of Object.values(projected)) this.#live.add(tensor);
      const attended = this.#kept(await this.#among(layer, step, projected));
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
      for (const part of parts) {
        const places = longs(this.#places(part.rows));
        if (part.kind === 'expert') {
          const [expert] = this.#piece(pieceName({ ...part, layer }));
          await this.#addWith(expert!, { normed: this.#input(), rows: longs(part.rows), gates: floats(part.gates, [part.rows.length, 1]), places });
        } else if (part.rows.length > 0) {
          await this.#addWith(await this.#context.graphs.add(), { values: floats(part.values, [part.rows.length, this.#context.spec.hiddenSize]), places });
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

  /** All that a layer has used up, or the step. */
  #free(): void {
    for (const tensor of this.#live) tensor.dispose();
    this.#live.clear();
  }

  /** Every sequence's rows over what it kept, which goes on with their keys and values. */
  async #among(layer: number, { spans }: AttentionStep, projected: Feeds): Promise<Tensor> {
    const parts: Tensor[] = [];
    for (let first = 0; first < spans.length; first += SEQUENCES_AT_ONCE) parts.push(this.#kept(await this.#amongSome(layer, spans.slice(first, first + SEQUENCES_AT_ONCE), { projected, first })));
    if (parts.length === 1) return parts[0]!;
    const { output } = await (await this.#context.graphs.join(parts.length)).run(Object.fromEntries(parts.map((part, nth) => [`values.${nth}`, part])));
    return output!;
  }

  async #amongSome(layer: number, spans: readonly AttentionSpan[], { projected, first }: { readonly projected: Feeds; readonly first: number }): Promise<Tensor> {
    const { spec, graphs, keys } = this.#context;
    const { kept } = attentionOf(spec);
    const feeds: Record<string, Tensor> = { ...projected };
    for (const [nth, { cache }] of spans.entries()) {
      const past = await keys.past(cache, layer, cache.length);
      kept.forEach(({ name }, index) => (feeds[`${name}.${nth}`] = past[index]!));
      for (const [name, tensor] of Object.entries(this.#inputs!.spans[first + nth]!)) feeds[`${name}.${nth}`] = tensor;
    }
    const { attended, ...now } = await (await graphs.among(spans.length)).run(feeds);
    spans.forEach(({ cache, count }, nth) => keys.put(cache, layer, { tensors: kept.map(({ name }) => now[`${name}.${nth}.now`]!), length: cache.length + count }));
    return attended!;
  }

  async #addWith(session: DeviceSession, feeds: Feeds): Promise<void> {
    const { sum } = await session.run({ ...feeds, next: this.#hidden });
    this.#hidden.dispose();
    this.#live.delete(this.#hidden);
    this.#hidden = this.#kept(sum!);
  }

  /** Of each row of the step its place among some, or, of the others, that of the zeros behind them. */
  #places(rows: Uint32Array): Uint32Array {
    const places = new Uint32Array(this.rowCount).fill(rows.length);
    rows.forEach((row, nth) => (places[row] = nth));
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
