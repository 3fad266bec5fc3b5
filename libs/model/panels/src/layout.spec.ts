import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WeightDtype, WEIGHT_DTYPES } from '@essaim/core';
import { mixedModel, tinyModel } from '../test/tiny-model.ts';
import { expertPieces, layoutOf, leadPieces, panelBytes, type PanelModel, panelsNamed, type PanelPiece, pieceName, quantisedStride } from './index.ts';

const piecesOf = ({ spec }: PanelModel): PanelPiece[] => [...leadPieces(spec), ...expertPieces(spec)];

describe('the pieces of a model', () => {
  it('are the dense part and every expert of every layer, each with a name of its own', () => {
    const moe = piecesOf(tinyModel({ dtype: 'int4' })).map(pieceName);
    expect(moe).toEqual(['embed', 'layer.0', 'layer.1', 'head', 'expert.0.0', 'expert.0.1', 'expert.0.2', 'expert.1.0', 'expert.1.1', 'expert.1.2']);
    const dense = piecesOf(tinyModel({ dtype: 'int4', isDense: true })).map(pieceName);
    expect(dense).toEqual(['embed', 'layer.0', 'dense.0', 'layer.1', 'dense.1', 'head']);
    const mixed = piecesOf(mixedModel({ dtype: 'int4' })).map(pieceName);
    expect(mixed).toEqual(['embed', 'layer.0', 'dense.0', 'layer.1', 'dense.1', 'head', 'expert.1.0', 'expert.1.1', 'expert.1.2']);
  });

  it('that the model does not have are a bug', () => {
    const dense = tinyModel({ dtype: 'int4', isDense: true });
    expect(() => layoutOf(dense, { kind: 'expert', layer: 0, expert: 0 })).toThrow('assertion failed');
    expect(() => layoutOf(dense, { kind: 'layer', layer: 2 })).toThrow('assertion failed');
    const routed = tinyModel({ dtype: 'int4' });
    expect(() => layoutOf(routed, { kind: 'expert', layer: 0, expert: 3 })).toThrow('assertion failed');
    expect(() => layoutOf(routed, { kind: 'dense', layer: 0 })).toThrow('assertion failed');
    expect(() => panelsNamed(layoutOf(routed, { kind: 'head' }), 'norm')).toThrow('assertion failed');
  });
});

describe('the layout of a piece', () => {
  it('has its tensors one behind the other on 64 bytes, without reading any weights', () => {
    fc.assert(fc.property(fc.constantFrom(...WEIGHT_DTYPES), fc.boolean(), fc.integer({ min: 1, max: 100 }), (dtype, isDense, hiddenSize) => {
      const model = tinyModel({ dtype, isDense, hiddenSize });
      for (const piece of piecesOf(model)) {
        const { bytes, tensors } = layoutOf(model, piece);
        let end = 0;
        for (const tensor of Object.values(tensors)) {
          expect(tensor.offset).toBe(Math.ceil(end / 64) * 64);
          end = tensor.offset + tensor.bytes;
        }
        expect(bytes).toBe(Math.ceil(end / 64) * 64);
      }
      expect(model.reads).toEqual([]);
    }));
  });

  it('begins each of the stacked matrices at a panel of its own', () => {
    const layer = layoutOf(tinyModel({ dtype: 'int4', hiddenSize: 33, headSize: 6 }), { kind: 'layer', layer: 0 });
    expect(panelsNamed(layer, 'qkv')).toMatchObject({
      form: 'int4', rows: 18 + 6 + 6, columns: 33, panels: 4, bytes: 4 * 2 * 288, parts: [{ rows: 18, firstPanel: 0 }, { rows: 6, firstPanel: 2 }, { rows: 6, firstPanel: 3 }],
    });
    const expert = layoutOf(tinyModel({ dtype: 'int8', innerSize: 17 }), { kind: 'expert', layer: 0, expert: 0 });
    expect(panelsNamed(expert, 'gateUp').parts).toEqual([{ rows: 17, firstPanel: 0 }, { rows: 17, firstPanel: 2 }]);
  });

  it('has the names that kernels ask for', () => {
    const names = (isDense: boolean) => Object.fromEntries(piecesOf(tinyModel({ dtype: 'int4', isDense })).map((piece) => [piece.kind, Object.keys(layoutOf(tinyModel({ dtype: 'int4', isDense }), piece).tensors)]));
    const [layer, feedForward] = [['attentionNorm', 'qkv', 'output', 'feedForwardNorm'], ['gateUp', 'down']];
    const [embed, head] = [['embedding'], ['norm', 'head']];
    expect(names(false)).toEqual({ embed, layer: [...layer, 'router'], expert: feedForward, head });
    expect(names(true)).toEqual({ embed, layer, dense: feedForward, head });
    const mixed = mixedModel({ dtype: 'int4' });
    expect([0, 1].map((nth) => Object.keys(layoutOf(mixed, { kind: 'layer', layer: nth }).tensors))).toEqual([layer, [...layer, 'router', 'correctionBias']]);
  });
});

describe('sizes', () => {
  it.each([['int4', 288], ['int8', 544], ['float32', 16 * 32 * 4]] satisfies [WeightDtype, number][])('of a panel of 32 columns at %s: %i bytes', (form, bytes) => {
    expect(panelBytes(form, 32)).toBe(bytes);
    // Quantised blocks are whole, floats are not filled up.
    expect(panelBytes(form, 33)).toBe(form === 'float32' ? bytes + 64 : 2 * bytes);
  });

  it('of a row of quantised activations: its codes and what is known of each block, in whole cache lines', () => {
    expect([1, 32, 33, 64, 1024].map(quantisedStride)).toEqual([64, 64, 128, 128, 1280]);
  });
});
