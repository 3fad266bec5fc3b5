import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError, leaseId, type WorkerReport } from '@essaim/core';
import { type clusterV1 } from '@essaim/contracts';
import { workerState } from './cluster.ts';
import { toNumber } from './fields.ts';
import { fromWireTimes, toWireTimes } from './times.ts';

export const toWireReport = (report: WorkerReport): MessageInitShape<typeof clusterV1.WorkerReportSchema> => ({
  leaseId: report.leaseId,
  state: workerState.toWire(report.state),
  epoch: BigInt(report.epoch),
  hosted: [...report.hosted],
  leadReady: report.leadReady,
  loadedBytes: BigInt(report.progress.doneBytes),
  totalBytes: BigInt(report.progress.totalBytes),
  residentBytes: BigInt(report.residentBytes),
  runningSequences: report.runningSequences,
  waitingSequences: report.waitingSequences,
  kvUsedBytes: BigInt(report.kvUsedBytes),
  kvBudgetBytes: BigInt(report.kvBudgetBytes),
  times: toWireTimes(report.times),
  ...(report.failure === null ? {} : { failure: report.failure }),
});

export const fromWireReport = (report: clusterV1.WorkerReport): WorkerReport => ({
  leaseId: leaseId(report.leaseId),
  state: ownState(report.state),
  epoch: toNumber(report.epoch, 'epoch'),
  hosted: report.hosted.map(({ layer, expert }) => ({ layer, expert })),
  leadReady: report.leadReady,
  progress: { doneBytes: toNumber(report.loadedBytes, 'loaded_bytes'), totalBytes: toNumber(report.totalBytes, 'total_bytes') },
  residentBytes: toNumber(report.residentBytes, 'resident_bytes'),
  runningSequences: report.runningSequences,
  waitingSequences: report.waitingSequences,
  kvUsedBytes: toNumber(report.kvUsedBytes, 'kv_used_bytes'),
  kvBudgetBytes: toNumber(report.kvBudgetBytes, 'kv_budget_bytes'),
  times: fromWireTimes(report.times),
  failure: report.failure ?? null,
});

function ownState(value: number): WorkerReport['state'] {
  const state = workerState.fromWire(value);
  if (state === 'lost') throw new AppError('invalid_argument', 'a worker can not report itself lost');
  return state;
}
