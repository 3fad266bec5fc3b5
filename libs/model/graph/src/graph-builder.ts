import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type TensorView } from '@essaim/core';
import { type AttributeProtoSchema, type GraphProtoSchema, ModelProtoSchema, type TensorProtoSchema, type ValueInfoProtoSchema } from './onnx_pb.ts';

/** Element types by ONNX's numbers (onnx.proto, TensorProto.DataType). */
export const ELEMENT = { f32: 1, u8: 2, i32: 6, i64: 7, f16: 10, bf16: 16 } as const;
export type ElementType = keyof typeof ELEMENT;

/** A number is fixed, a name stands for any length. */
export type Dimension = number | string;

export interface ValueShape {
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/** Weights that are streamed into a file beside the graph, so that neither protobuf's 2 GiB nor memory bounds them. */
export interface ExternalWeight {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly byteLength: number;
  /** What the bytes are made from. */
  readonly sources: readonly TensorView[];
  /** The bytes in order, `byteLength` in all. May be called more than once. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface PlacedWeight extends ExternalWeight {
  /** In the weights file. */
  readonly offset: number;
}

export interface Graph {
  /** A serialised ModelProto whose external data lie in WEIGHTS_FILE, in the same folder. */
  readonly model: Uint8Array;
  readonly weights: readonly PlacedWeight[];
  readonly weightBytes: number;
}

/** An integer stays integer, a float is given as { float }. */
export type Attribute = number | readonly number[] | { readonly float: number };

export interface NodeOptions {
  /** How many outputs; those named '' are left out. Default 1. */
  readonly outputs?: number | readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Empty for ONNX's own operators. */
  readonly domain?: '' | 'com.microsoft';
}

export const WEIGHTS_FILE = 'weights.bin';
/** ONNX Runtime maps the file: a weight starts on a page of its own. */
const WEIGHT_ALIGNMENT_BYTES = 4096;
const IR_VERSION = 11n;
/** The first with Attention, RMSNormalization and RotaryEmbedding. */
const ONNX_OPSET = 23n;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

type Init<T> = T extends readonly (infer E)[] ? E : never;
type NodeInit = Init<NonNullable<MessageInitShape<typeof GraphProtoSchema>['node']>>;

/** Writes one ONNX graph, node by node. Values are named by strings, as in ONNX itself. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeInit[] = [];
  readonly #initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  readonly #inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  readonly #outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  readonly #weights: PlacedWeight[] = [];
  #nextOffset = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, shape: ValueShape): string {
    this.#inputs.push(valueInfo(name, shape));
    return name;
  }

  /** Makes a value of the graph one of its outputs, under its own name. */
  output(name: string, shape: ValueShape): void {
    this.#outputs.push(valueInfo(name, shape));
  }

  /** Adds a node and returns its first output. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodes(operator, inputs, options)[0]!;
  }

  /** Adds a node and returns all its outputs. */
  nodes(operator: string, inputs: readonly string[], { outputs = 1, attributes = {}, domain = '' }: NodeOptions = {}): readonly string[] {
    const prefix = `${operator}_${this.#nodes.length}`;
    const names = typeof outputs === 'number' ? Array.from({ length: outputs }, (_, index) => `${prefix}_${index}`) : outputs;
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push({ name: prefix, opType: operator, domain, input: [...inputs], output: [...names], attribute });
    return names;
  }

  /** A few integers inside the graph, for shapes. */
  integers(values: readonly number[]): string {
    const name = `integers_${this.#initializers.length}`;
    this.#initializers.push({ name, dims: [BigInt(values.length)], dataType: ELEMENT.i64, rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) });
    return name;
  }

  /** One number inside the graph. */
  float(value: number): string {
    return this.#floats([], Float32Array.of(value));
  }

  /** Zeros inside the graph. */
  zeros(dims: readonly number[]): string {
    return this.#floats(dims, new Float32Array(dims.reduce((product, size) => product * size, 1)));
  }

  #floats(dims: readonly number[], values: Float32Array<ArrayBuffer>): string {
    const name = `floats_${this.#initializers.length}`;
    this.#initializers.push({ name, dims: dims.map(BigInt), dataType: ELEMENT.f32, rawData: new Uint8Array(values.buffer) });
    return name;
  }

  weight(name: string, weight: ExternalWeight): string {
    const offset = this.#nextOffset;
    this.#nextOffset += Math.ceil(weight.byteLength / WEIGHT_ALIGNMENT_BYTES) * WEIGHT_ALIGNMENT_BYTES;
    this.#weights.push({ ...weight, chunks: () => weight.chunks(), offset });
    const externalData = Object.entries({ location: WEIGHTS_FILE, offset, length: weight.byteLength }).map(([key, value]) => ({ key, value: String(value) }));
    this.#initializers.push({ name, dims: weight.dims.map(BigInt), dataType: ELEMENT[weight.type], dataLocation: 1, externalData });
    return name;
  }

  build(): Graph {
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'essaim',
      graph: { name: this.#name, node: this.#nodes, initializer: this.#initializers, input: this.#inputs, output: this.#outputs },
      opsetImport: [{ domain: '', version: ONNX_OPSET }, { domain: 'com.microsoft', version: 1n }],
    });
    return { model: toBinary(ModelProtoSchema, model), weights: this.#weights, weightBytes: this.#nextOffset };
  }
}

function valueInfo(name: string, { type, dims }: ValueShape): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((size) => ({ value: typeof size === 'number' ? { case: 'dimValue' as const, value: BigInt(size) } : { case: 'dimParam' as const, value: size } }));
  return { name, type: { value: { case: 'tensorType', value: { elemType: ELEMENT[type], shape: { dim } } } } };
}

function attributeProto(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: BigInt(value) };
  if (Array.isArray(value)) return { name, type: ATTRIBUTE.ints, ints: value.map(BigInt) };
  return { name, type: ATTRIBUTE.float, f: (value as { readonly float: number }).float };
}
