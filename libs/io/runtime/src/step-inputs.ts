import { type Tensor } from 'onnxruntime-node';
import { type ModelSpec, rotarySizeOf, scoreFactorOf } from '@essaim/core';
import { type AttentionStep, type RopeAngles } from '@essaim/runner';
import { type Company, companiesOf, maskOf } from './companies.ts';
import { type Feeds, floats } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';

/** A company with what tells which tokens its rows see, on the device: a mask for each of several rows' sequences, or one for all single rows, or none where these see all. */
export interface StepCompany extends Company {
  readonly masks: readonly Tensor[];
}

export interface StepInputsOptions {
  readonly spec: ModelSpec;
  readonly graphs: PlainGraphs;
  /** The most tokens of all sequences of a company together. */
  readonly mostTokens: number;
}

/** What all layers of a step are told, on the device once. */
export class StepInputs {
  /** By the names that the graph before attention has for them. */
  readonly angles: Feeds;
  readonly companies: readonly StepCompany[];
  readonly #owned: readonly Tensor[];

  private constructor(angles: Feeds, companies: readonly StepCompany[], owned: readonly Tensor[]) {
    this.angles = angles;
    this.companies = companies;
    this.#owned = owned;
  }

  static async open({ spec, graphs, mostTokens }: StepInputsOptions, { angles, spans }: AttentionStep): Promise<StepInputs> {
    const owned: Tensor[] = [];
    const put = async (values: readonly Tensor[]): Promise<readonly Tensor[]> => {
      const copy = await graphs.copy(values.map(({ dims }) => dims.length));
      const copies = await copy.run(Object.fromEntries(values.map((value, nth) => [`values.${nth}`, value])));
      const inOrder = values.map((_, nth) => copies[`output.${nth}`]!);
      owned.push(...inOrder);
      return inOrder;
    };
    const named = Object.entries(anglesOf(spec, angles));
    const onDevice = await put(named.map(([, tensor]) => tensor));
    const slidingWindow = spec.attention.kind === 'gqa' ? spec.attention.slidingWindow : null;
    const companies: StepCompany[] = [];
    for (const company of companiesOf(spans, mostTokens)) {
      const masks: Tensor[] = [];
      for (const mask of maskOf(company, slidingWindow)) masks.push(...await put([floats(mask.values, mask.dims)]));
      companies.push({ ...company, masks });
    }
    return new StepInputs(Object.fromEntries(named.map(([name], nth) => [name, onDevice[nth]!])), companies, owned);
  }

  release(): void {
    for (const tensor of this.#owned) tensor.dispose();
  }
}

/** On the host. */
function anglesOf({ attention }: ModelSpec, { cos, sin, queryScale }: RopeAngles): Feeds {
  const width = rotarySizeOf(attention) / 2;
  const rows = cos.length / width;
  const dims = [1, rows, width];
  const turns = { cos: floats(cos, dims), sin: floats(sin, dims) };
  if (attention.kind === 'mla') return { ...turns, ...(queryScale !== null && { queryScale: floats(queryScale, [1, rows, 1]) }) };
  const ofQueries = (values: Float32Array): Tensor => floats(values.map((value, index) => value * scoreFactorOf(attention) * (queryScale?.[Math.floor(index / width)] ?? 1)), dims);
  return { ...turns, queryCos: ofQueries(cos), querySin: ofQueries(sin) };
}
