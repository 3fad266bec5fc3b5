import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterV1, inferenceV1, workerV1 } from '@essaim/contracts';
import { fromWireLease, fromWireSnapshot, toWireLease, toWireSnapshot } from '../src/mapping/cluster.ts';
import { fromWireRegistration, toWireRegistration } from '../src/mapping/registration.ts';
import { decodeLeadFrame, encodeLeadFrame, type ExpertCallFrame } from '../src/frames/lead-frame.ts';
import { fromCallFrame, fromResultFrame, toCallFrame, toResultFrame } from '../src/mapping/expert-batch.ts';
import { fromWireInferenceEvent, fromWireInferenceRequest, fromWireModels, toWireInferenceEvent, toWireInferenceRequest, toWireModels } from '../src/mapping/inference.ts';
import { fromWireReport, toWireReport } from '../src/mapping/report.ts';
import { fromWireSequenceEvent, fromWireSequenceRequest, toWireSequenceEvent, toWireSequenceRequest } from '../src/mapping/sequence.ts';
import { inferenceEvent, inferenceRequest, registration, report, sequenceEvent, sequenceRequest, snapshot } from './arbitraries.ts';
import { batch, REGISTRATION, REPORT, SEQUENCE_REQUEST } from './samples.ts';

/** Through the bytes that travel. */
const overTheWire = <D extends DescMessage>(desc: D, message: MessageInitShape<D>): MessageShape<D> => fromBinary(desc, toBinary(desc, create(desc, message)));

/** Whatever `toWire` sends, `fromWire` reads as it was. */
function keeps<T, D extends DescMessage>(desc: D, arbitrary: fc.Arbitrary<T>, { toWire, fromWire }: { toWire: (value: T) => MessageInitShape<D>; fromWire: (message: MessageShape<D>) => T }): void {
  fc.assert(fc.property(arbitrary, (value) => {
    expect(fromWire(overTheWire(desc, toWire(value)))).toEqual(value);
  }));
}

describe('the wire carries unchanged', () => {
  it('registrations', () => keeps(clusterV1.WorkerRegistrationSchema, registration, { toWire: toWireRegistration, fromWire: fromWireRegistration }));
  it('reports', () => keeps(clusterV1.WorkerReportSchema, report, { toWire: toWireReport, fromWire: fromWireReport }));
  it('snapshots', () => keeps(clusterV1.ClusterSnapshotSchema, snapshot, { toWire: toWireSnapshot, fromWire: fromWireSnapshot }));
  it('sequence requests', () => keeps(workerV1.GenerateRequestSchema, sequenceRequest, { toWire: toWireSequenceRequest, fromWire: fromWireSequenceRequest }));
  it('sequence events', () => keeps(workerV1.GenerateResponseSchema, sequenceEvent, { toWire: toWireSequenceEvent, fromWire: fromWireSequenceEvent }));
  it('requests of clients', () => keeps(inferenceV1.GenerateRequestSchema, inferenceRequest, { toWire: toWireInferenceRequest, fromWire: fromWireInferenceRequest }));
  it('events for clients', () => keeps(inferenceV1.GenerateResponseSchema, inferenceEvent, { toWire: toWireInferenceEvent, fromWire: fromWireInferenceEvent }));

  it('leases and lists of models', () => {
    const lease = { id: REPORT.leaseId, ttlMs: 3_000 };
    expect(fromWireLease(overTheWire(clusterV1.JoinResponseSchema, toWireLease(lease)))).toEqual(lease);
    const models = [{ id: 'petit', contextLength: 2048 }, { id: 'é', contextLength: 0 }];
    expect(fromWireModels(overTheWire(inferenceV1.ListModelsResponseSchema, toWireModels(models)))).toEqual(models);
  });

  it('expert calls and their results, bit for bit', () => {
    const bits = fc.uint32Array({ maxLength: 24 });
    fc.assert(fc.property(bits, fc.boolean(), (words, reduce) => {
      const sent = { ...batch(words.length, 1), activations: new Float32Array(Uint32Array.from(words).buffer), reduce };
      const received = fromCallFrame(decodeLeadFrame(encodeLeadFrame(toCallFrame(9, sent, 'f32'))) as ExpertCallFrame);
      expect(new Uint32Array(received.activations.slice().buffer)).toEqual(Uint32Array.from(words));
      expect({ ...received, activations: null }).toEqual({ ...sent, activations: null });
      const result = fromResultFrame(toResultFrame(sent.activations, { dtype: workerV1.ActivationDtype.F32, width: 1 }), sent);
      expect(new Uint32Array(result.slice().buffer)).toEqual(Uint32Array.from(words));
    }));
  });
});

const MODEL: MessageInitShape<typeof clusterV1.ModelRefSchema> = { dtype: clusterV1.WeightDtype.INT8 };
const snapshotMessage = (init: MessageInitShape<typeof clusterV1.ClusterSnapshotSchema>): clusterV1.ClusterSnapshot => create(clusterV1.ClusterSnapshotSchema, init);

describe('a message that no peer of this version sends is refused', () => {
  const refusal = (part: string): unknown => expect.objectContaining({ name: 'AppError', code: 'invalid_argument', message: expect.stringContaining(part) as string });

  it.each([
    ['a snapshot without model', () => fromWireSnapshot(create(clusterV1.ClusterSnapshotSchema, {})), 'without model'],
    ['a worker in an unknown state', () => fromWireSnapshot(snapshotMessage({ model: MODEL, workers: [{ roles: {}, state: 99 as never }] })), 'worker state 99 is unknown'],
    ['a replica without state', () => fromWireSnapshot(snapshotMessage({ model: MODEL, placement: [{ experts: [{ replicas: [{ worker: 'w1' }] }] }] })), 'replica state 0 is unknown'],
    ['a registration without device', () => fromWireRegistration(create(clusterV1.WorkerRegistrationSchema, { ...toWireRegistration(REGISTRATION), device: undefined as never })), 'without device'],
    ['a registration without roles', () => fromWireRegistration(create(clusterV1.WorkerRegistrationSchema, { ...toWireRegistration(REGISTRATION), roles: undefined as never })), 'without roles'],
    ['a worker that reports itself lost', () => fromWireReport(create(clusterV1.WorkerReportSchema, { ...toWireReport(REPORT), state: clusterV1.WorkerState.LOST })), 'report itself lost'],
    ['a number past 2^53', () => fromWireReport(create(clusterV1.WorkerReportSchema, { ...toWireReport(REPORT), epoch: 1n << 53n })), 'epoch is out of range'],
    ['a sequence without sampling', () => fromWireSequenceRequest(create(workerV1.GenerateRequestSchema, { ...toWireSequenceRequest(SEQUENCE_REQUEST), sampling: undefined as never })), 'without sampling'],
    ['an unknown event of a sequence', () => fromWireSequenceEvent(create(workerV1.GenerateResponseSchema, {})), 'runs another version'],
    ['an end without statistics', () => fromWireSequenceEvent(create(workerV1.GenerateResponseSchema, { event: { case: 'done', value: { finishReason: 1 } } })), 'without stats'],
    ['an unknown event of an answer', () => fromWireInferenceEvent(create(inferenceV1.GenerateResponseSchema, {})), 'runs another version'],
    ['a request without prompt', () => fromWireInferenceRequest(create(inferenceV1.GenerateRequestSchema, {})), 'a prompt is missing'],
    ['activations of half a row', () => fromCallFrame({ ...toCallFrame(1, batch(1, 4), 'f32'), activations: new Uint8Array(15) }), 'no whole number of rows of 16 bytes'],
  ])('%s', (_what, read, part) => expect(read).toThrow(refusal(part)));

  it.each(['numerics', 'needs'] as const)('a registration of an older version, without %s', (field) => {
    expect(() => fromWireRegistration(create(clusterV1.WorkerRegistrationSchema, { ...toWireRegistration(REGISTRATION), [field]: undefined }))).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringMatching(/^worker w1 is of an older version, .*: start one of/) as string }));
  });

  it('a seed that is not 64 bits long', () => {
    for (const seed of [1n << 63n, -(1n << 63n) - 1n]) {
      expect(() => toWireSequenceRequest({ ...SEQUENCE_REQUEST, sampling: { ...SEQUENCE_REQUEST.sampling, seed } })).toThrow(refusal('seed must fit'));
    }
  });

  it('activations of a dtype that nobody here can read', () => {
    expect(() => fromCallFrame({ ...toCallFrame(1, batch(1, 4), 'f32'), dtype: 9 }))
      .toThrow(expect.objectContaining({ code: 'unimplemented' }));
  });

  it.each([
    ['fewer rows than said', { rows: 3 }],
    ['more rows than said', { rows: 1 }],
    ['another width', { width: 2 }],
    ['offsets that do not start at 0', { rowOffsets: Uint32Array.of(1, 1, 2) }],
    ['offsets that descend', { rowOffsets: Uint32Array.of(0, 3, 2) }],
    ['offsets past the pairs', { rowOffsets: Uint32Array.of(0, 1, 3) }],
    ['no offsets', { rowOffsets: new Uint32Array(0) }],
    ['fewer gates than experts', { gates: Float32Array.of(1) }],
    ['more experts than gates', { experts: Uint32Array.of(0, 1, 2) }],
  ])('an expert call with %s', (_what, wrong) => {
    expect(() => fromCallFrame({ ...toCallFrame(1, batch(2, 4), 'f32'), ...wrong })).toThrow(refusal('do not agree'));
  });
});
