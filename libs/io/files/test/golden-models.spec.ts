import { openCheckpoint, readModelSpec } from '@essaim/checkpoint';
import { type FeedForwardWeights, type LayerWeights, type ModelSpec, type ModelWeights, type TensorView } from '@essaim/core';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpointFolder } from '../src/index.ts';

const REPOSITORY_URL = new URL('../../../../', import.meta.url);
const GOLDEN = 'test/golden/models/';
const directoryOf = (folder: string): string => fileURLToPath(new URL(folder, REPOSITORY_URL));
/** What make_checkpoint_forms.py, make_dense_forms.py and make_latent_forms.py computed: for each of their checkpoints the SHA-256 of the float32 values by role. */
const forms = ['checkpoint-forms', 'dense-forms', 'latent-forms'].flatMap((name) => Object.entries(digestsIn(`test/golden/vectors/${name}.json`)));
const models = [...readdirSync(directoryOf(GOLDEN)).map((name) => GOLDEN + name), 'deploy/models/petit'];

describe('the checkpoints that transformers wrote', () => {
  it.each(models)('%s opens, and every weight can be read and is a finite number', async (folder) => {
    const checkpoint = await openCheckpoint(openCheckpointFolder(directoryOf(folder)));
    expect(checkpoint.spec).toEqual(await readModelSpec(openCheckpointFolder(directoryOf(folder))));
    for (const [role, view] of byRole(checkpoint.weights)) {
      const values = await view.read(0, view.rows);
      expect(values.length, role).toBe(view.rows * view.columns);
      expect(values.every(Number.isFinite), role).toBe(true);
    }
    await checkpoint.close();
  });

  it.each(models)('%s: any rows read alone are those rows of the whole, and no two views have one fingerprint', async (folder) => {
    const { weights, close } = await openCheckpoint(openCheckpointFolder(directoryOf(folder)));
    const views = new Set(byRole(weights).values());
    for (const view of views) {
      const [first, count] = [view.rows >> 1, Math.min(3, view.rows - (view.rows >> 1))];
      const whole = await view.read(0, view.rows);
      expect(await view.read(first, count), view.name).toEqual(whole.slice(first * view.columns, (first + count) * view.columns));
    }
    expect(new Set(await Promise.all([...views].map((view) => view.fingerprint()))).size).toBe(views.size);
    await close();
  });

  it.each([
    ['mixtral-top4-fused-bf16', 'mixtral-top4-transformers4-bf16', 'apart, as transformers 4 writes it'],
    ['deepseek-v3-yarn-groups-bf16', 'deepseek-v3-yarn-groups-transformers4-bf16', 'with a configuration of transformers 4'],
    ['mistral-window-bf16', 'mistral-window-mistral-layout', 'in Mistral\'s layout'],
    ['ministral3-yarn-tied-bf16', 'ministral3-yarn-tied-mistral-layout', 'in Mistral\'s layout'],
    ['ministral3-yarn-fp8-tensors', 'ministral3-yarn-fp8-tensors-mistral-layout', 'in Mistral\'s layout'],
    ['mistral4-yarn-bf16', 'mistral4-yarn-mistral-layout', 'in Mistral\'s layout'],
    ['mistral4-yarn-uncorrected-bf16', 'mistral4-yarn-uncorrected-mistral-layout', 'in Mistral\'s layout'],
    ['ministral3-yarn-tied-bf16', 'mistral3-images-yarn-tied-bf16', 'beside weights that see images'],
    ['mistral4-yarn-bf16', 'mistral4-images-yarn-bf16', 'beside weights that see images'],
  ])('%s and %s, %s, are the same spec and the same bits in each role', async (name, other) => {
    const checkpoints = await Promise.all([name, other].map((folder) => openCheckpoint(openCheckpointFolder(directoryOf(GOLDEN + folder)))));
    const [one, two] = checkpoints.map(({ spec, weights }) => ({ spec, views: byRole(weights) }));
    expect(two!.spec).toEqual(one!.spec);
    expect([...two!.views.keys()]).toEqual([...one!.views.keys()]);
    for (const [role, view] of two!.views) expect(await bits(view), role).toEqual(await bits(one!.views.get(role)!));
    await Promise.all(checkpoints.map(({ close }) => close()));
  });

  it.each([
    ['ministral3-yarn-tied-bf16', []],
    ['mistral3-images-yarn-tied-bf16', [expect.stringContaining('image')]],
    ['mistral4-images-yarn-bf16', [expect.stringContaining('image')]],
    ['deepseek-v3-yarn-groups-transformers4-bf16', [expect.stringContaining('guess further tokens')]],
  ])('%s: what is not read is said', async (name, notes) => {
    const checkpoint = await openCheckpoint(openCheckpointFolder(directoryOf(GOLDEN + name)));
    expect(checkpoint.notes).toEqual(notes);
    await checkpoint.close();
  });

  it.each(forms)('%s: every quantised weight is the oracle\'s float32, bit for bit', async (name, expected) => {
    const { weights, notes, close } = await openCheckpoint(openCheckpointFolder(directoryOf(GOLDEN + name)));
    const views = byRole(weights);
    const digests = await Promise.all(Object.keys(expected).map(async (role) => [role, sha256(await bits(views.get(role)!))]));
    expect(Object.fromEntries(digests)).toEqual(expected);
    expect(notes).toEqual([]);
    await close();
  });

  it('say of themselves what their vectors rely on', async () => {
    const specOf = (name: string): Promise<ModelSpec> => readModelSpec(openCheckpointFolder(directoryOf(name)));
    expect(await specOf(`${GOLDEN}mistral-window-bf16`)).toMatchObject({ family: 'mistral', attention: { headCount: 8, kvHeadCount: 2, headSize: 16, slidingWindow: 12 } });
    expect(await specOf(`${GOLDEN}mixtral-top1-odd-sharded-f16`)).toMatchObject({ hiddenSize: 80, normEpsilon: 1e-6, feedForward: { size: 72, expertCount: 5, expertsPerToken: 1 } });
    const yarn = { kind: 'yarn', theta: 1000, factor: 8, originalContextLength: 16 };
    expect(await specOf(`${GOLDEN}ministral3-yarn-tied-bf16`)).toMatchObject({ family: 'mistral', tiedEmbedding: true, rope: { ...yarn, magnitude: 1 }, queryScaling: { beta: 0.1, originalContextLength: 16 } });
    expect(await specOf(`${GOLDEN}ministral3-yarn-corrected-window-f16`)).toMatchObject({ attention: { slidingWindow: 24 }, rope: { ...yarn, betaFast: 1, betaSlow: 0.25, magnitude: 0.1 * Math.log(8) + 1 } });
    expect(await specOf(`${GOLDEN}mistral-yarn-f32`)).toMatchObject({ attention: { slidingWindow: null }, rope: yarn, queryScaling: null });
    expect(await specOf(`${GOLDEN}mixtral-top2-tied-f32`)).toMatchObject({ tiedEmbedding: true, rope: { theta: 10_000 } });
    expect(await specOf(`${GOLDEN}mistral4-yarn-bf16`)).toMatchObject({ family: 'mistral4', attention: { kind: 'mla', rotaryPairs: 'interleaved', scoreScale: (0.1 * Math.log(8) + 1) ** 2 }, rope: { ...yarn, magnitude: 1 }, feedForward: { denseLayerCount: 0 } });
    expect(await specOf(`${GOLDEN}mistral4-yarn-uncorrected-bf16`)).toMatchObject({ attention: { kind: 'mla', scoreScale: 1 }, rope: { ...yarn, magnitude: 1 }, queryScaling: { beta: 0.1, originalContextLength: 16 }, feedForward: { denseLayerCount: 1 } });
    expect(await specOf(`${GOLDEN}deepseek-v3-yarn-groups-bf16`)).toMatchObject({ family: 'deepseek-v3', queryScaling: null, feedForward: { router: { kind: 'sigmoid', correctionBias: true, groupCount: 4, groupsPerToken: 2, scale: 2.5 } } });
    expect(await specOf('deploy/models/petit')).toMatchObject({ family: 'mixtral', layerCount: 6, vocabSize: 8192, bosTokenId: 0, eosTokenIds: [1] });
  });
});

/** Every view of the model under a name that says its role, whatever its checkpoint calls it. */
function byRole({ embedding, layers, finalNorm, head }: ModelWeights): Map<string, TensorView> {
  const views = new Map<string, TensorView>([['embedding', embedding], ['finalNorm', finalNorm], ['head', head]]);
  const add = (prefix: string, { gate, up, down }: FeedForwardWeights): void => void Object.entries({ gate, up, down }).forEach(([role, view]) => views.set(`${prefix}.${role}`, view));
  layers.forEach(({ feedForward, attention, ...norms }, layer) => {
    for (const [role, view] of Object.entries({ ...norms, ...projectionsOf(attention) })) views.set(`${layer}.${role}`, view);
    if (feedForward.kind === 'dense') return add(`${layer}`, feedForward);
    views.set(`${layer}.router`, feedForward.router);
    if (feedForward.correctionBias !== null) views.set(`${layer}.correctionBias`, feedForward.correctionBias);
    if (feedForward.shared !== null) add(`${layer}.shared`, feedForward.shared);
    feedForward.experts.forEach((expert, index) => add(`${layer}.expert ${index}`, expert));
  });
  return views;
}

function projectionsOf(attention: LayerWeights['attention']): Readonly<Record<string, TensorView>> {
  if (attention.kind === 'gqa') {
    const { kind: _, ...projections } = attention;
    return projections;
  }
  const { kind: _, queryLatent, ...projections } = attention;
  return { ...projections, ...(queryLatent !== null && { queryDown: queryLatent.down, queryNorm: queryLatent.norm }) };
}

function digestsIn(file: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return (JSON.parse(readFileSync(directoryOf(file), 'utf8')) as { readonly weightSha256: ReturnType<typeof digestsIn> }).weightSha256;
}

const bits = async (view: TensorView): Promise<Uint32Array> => new Uint32Array((await view.read(0, view.rows)).slice().buffer);
const sha256 = (words: Uint32Array): string => createHash('sha256').update(words).digest('hex');
