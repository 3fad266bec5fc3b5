import { expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { defaultKvDtype, WEIGHT_DTYPES } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { layoutOf, leadPieces, type PanelPiece } from '@essaim/panels';
import { modelSize, planCluster, type PlanRequest } from '@essaim/planning';
import { jsonReport } from './json-report.ts';
import { notesOf } from './notes.ts';
import { dtypeOf, loadOf, modelPathOf, type PlanFlags } from './options.ts';
import { readDescription } from './read-description.ts';
import { textReport } from './text-report.ts';
import { readTopology } from './topologies.ts';

const FLAGS: PlanFlags = { replicas: 1, streams: 16 };
const PETIT = modelPathOf(FLAGS);

async function requestFor(cluster: string): Promise<PlanRequest> {
  const model = await readDescription(PETIT);
  const dtype = dtypeOf(FLAGS, model);
  return { model, dtype, kvDtype: defaultKvDtype(dtype), topology: readTopology(cluster), load: loadOf(FLAGS, model) };
}

it.each(WEIGHT_DTYPES)('the weights that are planned for in %s are those that the kernels hold', async (dtype) => {
  const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(PETIT));
  const bytesOf = (piece: PanelPiece): number => Object.values(layoutOf({ spec, weights, dtype }, piece).tensors).reduce((total, { bytes }) => total + bytes, 0);
  const size = modelSize(await readDescription(PETIT), dtype);
  expect(size.expertBytes).toBe(bytesOf({ kind: 'expert', layer: 0, expert: 0 }));
  expect(size.denseBytes).toBe(leadPieces(spec).reduce((total, piece) => total + bytesOf(piece), 0));
  await close();
});

it('a configuration alone says the same as its folder', async () => {
  expect(await readDescription(`${PETIT}/config.json`)).toMatchObject({ family: 'mixtral', hiddenSize: 192 });
});

it('the text says that it fits, the formula, and that nothing was calibrated', async () => {
  const request = await requestFor('rtx-box');
  const text = textReport(request, planCluster(request));
  expect(text).toMatch(/Fits: .* free/);
  expect(text).toContain('round trips x latency');
  expect(text).toContain('Not calibrated on this hardware');
  expect(text).toContain('an engine that does not exist yet');
});

it('the text of a cluster that was measured says so, with its figures, and when other weights were measured', async () => {
  const request = await requestFor('cpu-box');
  const measured = { ...request, topology: { ...request.topology, measuredWith: 'float32' as const } };
  const text = textReport(measured, planCluster(measured));
  expect(text).toContain("Calibrated: the topology's figures were measured with float32 weights.");
  expect(text).toMatch(/measured, so that efficiencies are 1: CPU .*: 460 GB\/s, 4000 GFLOP\/s, 0 us a step/);
  expect(textReport({ ...measured, dtype: 'int4' }, planCluster({ ...measured, dtype: 'int4' }))).toContain('with float32 weights; int4 reads and multiplies at other rates.');
});

it('the JSON has the keys that programs rely on', async () => {
  const request = await requestFor('cpu-box');
  expect(Object.keys(jsonReport(request, planCluster(request)))).toEqual([
    'family', 'dtype', 'kvDtype', 'cluster', 'load', 'model', 'fits', 'spareBytes', 'reason', 'workers', 'links', 'prediction', 'smallest', 'calibrated', 'assumptions', 'notes',
  ]);
});

it('more tokens than the model reads are refused', async () => {
  const model = await readDescription(PETIT);
  expect(() => loadOf({ ...FLAGS, context: model.contextLength + 1 }, model)).toThrow(/--context \d+ is more than/);
});

it('a model that is not there is refused in a sentence that says where', async () => {
  await expect(readDescription('/nowhere/params.json')).rejects.toMatchObject({ code: 'not_found', message: expect.stringMatching(/^\/nowhere\/params\.json does not exist/) as string });
});

it('more streams than the engine runs at once on a worker are planned for, and said so', async () => {
  const request = await requestFor('cpu-box');
  const asking = (streams: number): string => notesOf({ ...request, load: { ...request.load, streams } }).join(' ');
  expect(asking(64)).not.toContain('would wait');
  expect(asking(65)).toContain('A worker would lead 65 streams at once, and runs 64 of them unless --running-sequences says more: the others would wait.');
});
