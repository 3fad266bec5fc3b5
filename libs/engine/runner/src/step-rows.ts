import { type Dispatcher, type DispatchOutcome, type RoutedWork } from '@essaim/dispatch';
import { type AttentionStep, type DevicePieces, type DeviceState, type KeptLogits, type ModelPieces, type RouterOutput } from './model-pieces.ts';

/** The networks that a layer's rows pass behind its attention. */
export interface LayerNetworks {
  readonly layer: number;
  /** Null for a layer without experts. */
  readonly routed: RoutedWork | null;
  /** Whether there is a network that every token passes. */
  readonly dense: boolean;
}

/** The rows of one step on their way through the model, wherever they are. */
export interface StepRows {
  attend(layer: number): Promise<RouterOutput>;
  /** Adds what the networks make of the rows; what became of those that went to experts, null where none did. */
  addNetworks(networks: LayerNetworks, signal: AbortSignal): Promise<DispatchOutcome | null>;
  /** Behind the last layer: which rows hold nothing but numbers. */
  areNumbers(): Promise<(row: number) => boolean>;
  /** Behind the last layer: [rows.length, vocab]. */
  logits(rows: Uint32Array): Promise<Float32Array>;
  /** The same, left on a device; null where all come here anyway. The caller releases them. */
  keepLogits(rows: Uint32Array): Promise<KeptLogits> | null;
  release(): void;
}

/** What computes a step's rows: the processor, in this process's memory, or a device. */
export type StepCompute =
  | { readonly pieces: ModelPieces; readonly dispatcher: Pick<Dispatcher, 'dispatch'> }
  | { readonly pieces: DevicePieces; readonly dispatcher: Pick<Dispatcher, 'dispatchOnDevice'> };

export interface StepShape {
  readonly hiddenSize: number;
  readonly attention: AttentionStep;
}

export async function openRows(compute: StepCompute, tokenIds: readonly number[], shape: StepShape): Promise<StepRows> {
  if (isForDevice(compute)) return new DeviceStepRows(await compute.pieces.begin(tokenIds), compute.dispatcher, shape);
  return new HostRows(await compute.pieces.embed(tokenIds), compute, shape);
}

const isForDevice = (compute: StepCompute): compute is Extract<StepCompute, { readonly pieces: DevicePieces }> => 'begin' in compute.pieces;

class HostRows implements StepRows {
  readonly #pieces: ModelPieces;
  readonly #dispatcher: Pick<Dispatcher, 'dispatch'>;
  readonly #shape: StepShape;
  #hidden: Float32Array;
  /** The input of the networks of the layer at hand. */
  #normed: Float32Array = NOTHING;

  constructor(hidden: Float32Array, { pieces, dispatcher }: Extract<StepCompute, { readonly pieces: ModelPieces }>, shape: StepShape) {
    this.#hidden = hidden;
    this.#pieces = pieces;
    this.#dispatcher = dispatcher;
    this.#shape = shape;
  }

  async attend(layer: number): Promise<RouterOutput> {
    const { next, normed, ...router } = await this.#pieces.attend(layer, this.#hidden, this.#shape.attention);
    this.#hidden = next;
    this.#normed = normed;
    return router;
  }

  async addNetworks({ layer, routed, dense }: LayerNetworks, signal: AbortSignal): Promise<DispatchOutcome | null> {
    const normed = this.#normed;
    const dispatched = routed === null ? null : this.#dispatcher.dispatch({ ...routed, activations: normed }, signal);
    // Asked for when the calls to other workers are on their way.
    const common = dense ? this.#pieces.dense(layer, normed) : null;
    const [result, shared] = await Promise.all([dispatched, common]);
    if (result !== null && shared !== null) add(result.output, shared);
    add(this.#hidden, result?.output ?? shared!);
    return result;
  }

  async areNumbers(): Promise<(row: number) => boolean> {
    return (row) => this.#row(row).every(Number.isFinite);
  }

  logits(rows: Uint32Array): Promise<Float32Array> {
    const gathered = new Float32Array(rows.length * this.#shape.hiddenSize);
    rows.forEach((row, nth) => gathered.set(this.#row(row), nth * this.#shape.hiddenSize));
    return this.#pieces.head(gathered);
  }

  keepLogits(): null {
    return null;
  }

  release(): void {
    // Memory of the process's own.
  }

  #row(row: number): Float32Array {
    const { hiddenSize } = this.#shape;
    return this.#hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize);
  }
}

class DeviceStepRows implements StepRows {
  readonly #state: DeviceState;
  readonly #dispatcher: Pick<Dispatcher, 'dispatchOnDevice'>;
  readonly #shape: StepShape;

  constructor(state: DeviceState, dispatcher: Pick<Dispatcher, 'dispatchOnDevice'>, shape: StepShape) {
    this.#state = state;
    this.#dispatcher = dispatcher;
    this.#shape = shape;
  }

  attend(layer: number): Promise<RouterOutput> {
    return this.#state.attend(layer, this.#shape.attention);
  }

  async addNetworks({ layer, routed, dense }: LayerNetworks, signal: AbortSignal): Promise<DispatchOutcome | null> {
    const dispatched = routed === null ? null : this.#dispatcher.dispatchOnDevice({ ...routed, activations: this.#state }, signal);
    const [outcome] = await Promise.all([dispatched, dense ? this.#state.addDense(layer) : null]);
    return outcome;
  }

  async areNumbers(): Promise<(row: number) => boolean> {
    const squares = await this.#state.squares();
    return (row) => Number.isFinite(squares[row]);
  }

  logits(rows: Uint32Array): Promise<Float32Array> {
    return this.#state.logits(rows);
  }

  keepLogits(rows: Uint32Array): Promise<KeptLogits> | null {
    return this.#state.keepLogits(rows);
  }

  release(): void {
    this.#state.release();
  }
}

const NOTHING = new Float32Array(0);

/** In place. */
function add(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}
