import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FeedForwardWeights, type GroupedQueryWeights, STORED_DTYPES, type TensorView, WEIGHT_DTYPES } from '@essaim/core';
import { BLOCK_SIZE, quantiseRows } from '@essaim/quantise';
import { mixedModel, tinyModel, type TinyOptions } from '../test/tiny-model.ts';
import { unpack } from '../test/unpack.ts';
import { expertPieces, layoutOf, leadPieces, packPiece, type PanelForm, type PanelModel, panelsNamed, type PanelPiece } from './index.ts';

const EXPERT: PanelPiece = { kind: 'expert', layer: 1, expert: 2 };
const HEAD: PanelPiece = { kind: 'head' };

async function packed(model: PanelModel, piece: PanelPiece): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packPiece(model, piece)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The values that a row of a matrix has in a form: from codes and scales, or its own. */
function kept(values: Float32Array, form: PanelForm): number[] {
  if (form === 'float32') return [...values];
  const { codes, scales } = quantiseRows(values, { columns: values.length, dtype: form, scales: 'bf16' });
  return Array.from(values, (_, k) => {
    const code = form === 'int8' ? codes[k]! - 128 : ((codes[k >> 1]! >> (4 * (k & 1))) & 15) - 8;
    return code * scales[Math.floor(k / BLOCK_SIZE)]!;
  });
}

/** That the panels of a name hold these matrices, one after the other, and zeros in what fills the last panels up. */
async function expectPanels(model: PanelModel, { piece, name, matrices }: { readonly piece: PanelPiece; readonly name: string; readonly matrices: readonly TensorView[] }): Promise<void> {
  const layout = layoutOf(model, piece);
  const bytes = await packed(model, piece);
  expect(bytes.length).toBe(layout.bytes);
  const tensor = panelsNamed(layout, name);
  expect(tensor.parts.map(({ rows }) => rows)).toEqual(matrices.map(({ rows }) => rows));
  for (const [nth, matrix] of matrices.entries()) {
    const value = unpack(bytes, tensor, tensor.parts[nth]!);
    for (let row = 0; row < matrix.rows; row++) {
      expect(Array.from({ length: matrix.columns }, (_, k) => value(row, k))).toEqual(kept(await matrix.read(row, 1), tensor.form));
    }
    const padded = (tensor.parts[nth + 1]?.firstPanel ?? tensor.panels) - tensor.parts[nth]!.firstPanel;
    for (let row = matrix.rows; row < 16 * padded; row++) for (let k = 0; k < matrix.columns; k++) expect(value(row, k)).toBe(0);
  }
}

const expertOf = ({ weights }: PanelModel): FeedForwardWeights => {
  const { feedForward } = weights.layers[1]!;
  return feedForward.kind === 'moe' ? feedForward.experts[2]! : feedForward;
};

const sizes = fc.record({ hiddenSize: fc.integer({ min: 1, max: 90 }), innerSize: fc.integer({ min: 1, max: 70 }), headSize: fc.integer({ min: 1, max: 12 }).map((half) => 2 * half), vocabSize: fc.integer({ min: 1, max: 60 }) });

describe.each(WEIGHT_DTYPES)('panels at %s', (dtype) => {
  it('hold every row of every matrix, of any shape, each from a panel of its own on', async () => {
    await fc.assert(fc.asyncProperty(sizes, async (size: Partial<TinyOptions>) => {
      const model = tinyModel({ dtype, ...size });
      const { gate, up, down } = expertOf(model);
      const { query, key, value, output } = model.weights.layers[1]!.attention as GroupedQueryWeights;
      await expectPanels(model, { piece: EXPERT, name: 'gateUp', matrices: [gate, up] });
      await expectPanels(model, { piece: EXPERT, name: 'down', matrices: [down] });
      await expectPanels(model, { piece: { kind: 'layer', layer: 1 }, name: 'qkv', matrices: [query, key, value] });
      await expectPanels(model, { piece: { kind: 'layer', layer: 1 }, name: 'output', matrices: [output] });
      await expectPanels(model, { piece: HEAD, name: 'head', matrices: [model.weights.head] });
    }), { numRuns: 15 });
  });
});

describe('what is not quantised', () => {
  it.each(STORED_DTYPES)('the embedding stays as the checkpoint has it: %s', async (stored) => {
    const model = tinyModel({ dtype: 'int4', stored });
    const bytes = await packed(model, { kind: 'embed' });
    const { buffer } = bytes.slice(0, 50 * 40 * (stored === 'f32' ? 4 : 2));
    const rows = stored === 'f32' ? new Float32Array(buffer) : stored === 'f16' ? Float32Array.from(new Float16Array(buffer)) : Float32Array.from(new Uint16Array(buffer), (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!);
    expect(rows).toEqual(await model.weights.embedding.read(0, 50));
  });

  it.each(WEIGHT_DTYPES)('norms and the router are float32 at %s', async (dtype) => {
    const model = tinyModel({ dtype });
    const { inputNorm, postAttentionNorm, feedForward } = model.weights.layers[1]!;
    const piece: PanelPiece = { kind: 'layer', layer: 1 };
    const [layout, bytes] = [layoutOf(model, piece), await packed(model, piece)];
    for (const [name, view] of [['attentionNorm', inputNorm], ['feedForwardNorm', postAttentionNorm]] as const) {
      expect(new Float32Array(bytes.buffer, layout.tensors[name]!.offset, 40)).toEqual(await view.read(0, 1));
    }
    expect(panelsNamed(layout, 'router').form).toBe('float32');
    await expectPanels(model, { piece, name: 'router', matrices: feedForward.kind === 'moe' ? [feedForward.router] : [] });
  });
});

it('what every token passes is a layer\'s own network or that of its shared experts, and the bias of a router is beside it', async () => {
  const model = mixedModel({ dtype: 'int4' });
  for (const [layer, { feedForward }] of model.weights.layers.entries()) {
    const network = feedForward.kind === 'dense' ? feedForward : feedForward.shared!;
    await expectPanels(model, { piece: { kind: 'dense', layer }, name: 'gateUp', matrices: [network.gate, network.up] });
  }
  const piece: PanelPiece = { kind: 'layer', layer: 1 };
  const bytes = await packed(model, piece);
  expect(new Float32Array(bytes.buffer, layoutOf(model, piece).tensors['correctionBias']!.offset, 40)).toEqual(await model.weights.finalNorm.read(0, 1));
});

describe.each(WEIGHT_DTYPES)('a value that is no number at %s', (dtype) => {
  it.each([NaN, Infinity, -Infinity])('stays visible in its block: %s', async (value) => {
    const model = tinyModel({ dtype, override: (name, index) => (name === 'head' && index === 40 * 17 + 35 ? value : undefined) });
    const bytes = await packed(model, HEAD);
    const at = unpack(bytes, panelsNamed(layoutOf(model, HEAD), 'head'), { firstPanel: 0 });
    // One at least: at int4 the codes of the others mean 0 times a scale that is not finite.
    expect(Number.isFinite(at(17, 35))).toBe(false);
    for (const [row, k] of [[16, 35], [18, 35], [17, 31], [1, 35]] as const) expect(Number.isFinite(at(row, k))).toBe(true);
  });
});

describe('packing', () => {
  const allPieces = ({ spec }: PanelModel): PanelPiece[] => [...leadPieces(spec), ...expertPieces(spec)];

  it('reads every row of the model once', async () => {
    const model = tinyModel({ dtype: 'int4' });
    for (const piece of allPieces(model)) await packed(model, piece);
    const names = model.reads.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(3 + 2 * (6 + 1 + 9));
  });

  it('reads whole panels, a few megabytes at a time, and yields as it reads', async () => {
    const model = tinyModel({ dtype: 'int8', hiddenSize: 4000, vocabSize: 700 });
    let largest = 0;
    for await (const chunk of packPiece(model, HEAD)) largest = Math.max(largest, chunk.byteLength);
    const reads = model.reads.filter(({ name }) => name === 'head');
    expect(reads.reduce((next, { first, count }) => (expect([first, first % 16]).toEqual([next, 0]), next + count), 0)).toBe(700);
    for (const { count } of reads) expect(count * 4000 * 4).toBeLessThanOrEqual(4 << 20);
    expect(largest).toBeLessThanOrEqual(2 << 20);
  });

  it('of rows that are longer than that reads one panel at a time', async () => {
    const model = tinyModel({ dtype: 'float32', hiddenSize: 70_000, vocabSize: 33 });
    await packed(model, HEAD);
    expect(model.reads.filter(({ name }) => name === 'head').map(({ count }) => count)).toEqual([16, 16, 1]);
  });

  it('gives as many bytes as the layout says, for every piece', async () => {
    for (const dtype of WEIGHT_DTYPES) {
      for (const isDense of [true, false]) {
        const model = tinyModel({ dtype, isDense });
        for (const piece of allPieces(model)) expect((await packed(model, piece)).length).toBe(layoutOf(model, piece).bytes);
      }
    }
  });
});
