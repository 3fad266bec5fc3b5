import { AppError, assert } from '@essaim/core';
import { type ExpertBatch, type ExpertPeer } from './expert-peer.ts';
import { type ExpertRunner } from './expert-runner.ts';
import { gatherRows, scatterAddWeighted } from './rows.ts';

export interface LocalExpertsOptions {
  readonly runner: ExpertRunner;
  /** Highest snapshot epoch that this worker has applied. */
  readonly epoch: () => number;
}

/** The pairs of a batch that one expert runs. */
interface PairsOfExpert {
  readonly expert: number;
  readonly rows: number[];
  readonly pairs: number[];
}

/** The experts of this process as a peer: for its own lead, and for other leads behind a stream. */
export class LocalExperts implements ExpertPeer {
  readonly #runner: ExpertRunner;
  readonly #epoch: () => number;

  constructor({ runner, epoch }: LocalExpertsOptions) {
    this.#runner = runner;
    this.#epoch = epoch;
  }

  /** Each expert runs once, over all its rows. Sums run in ascending expert order, whichever expert is done first. */
  async execute(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    const groups = groupByExpert(batch);
    this.#refuseStale(batch);
    this.#refuseForeign(batch, groups);
    if (signal.aborted) throw AppError.from(signal.reason);
    const results = await this.#run(batch, groups);
    const output = new Float32Array((batch.reduce ? batch.rowOffsets.length - 1 : batch.experts.length) * batch.hiddenSize);
    groups.forEach((group, nth) => addGroup(output, batch, group, results[nth]!));
    return output;
  }

  async #run({ layer, hiddenSize, activations }: ExpertBatch, groups: readonly PairsOfExpert[]): Promise<readonly Float32Array[]> {
    if (groups.length === 0) return [];
    const results = await this.#runner.run(layer, groups.map(({ expert, rows }) => ({ expert, activations: gatherRows(activations, rows, hiddenSize) })));
    assert(groups.every(({ rows }, nth) => results[nth]?.length === rows.length * hiddenSize), 'an expert returns as many rows as it was given');
    return results;
  }

  #refuseStale({ epoch }: ExpertBatch): void {
    const applied = this.#epoch();
    if (epoch < applied) throw new AppError('failed_precondition', `an expert call of epoch ${epoch} is stale, epoch ${applied} holds here: take the newer placement and call again`);
  }

  #refuseForeign({ layer }: ExpertBatch, groups: readonly PairsOfExpert[]): void {
    const foreign = groups.find(({ expert }) => !this.#runner.holds({ layer, expert }));
    if (foreign !== undefined) throw new AppError('failed_precondition', `layer ${layer}, expert ${foreign.expert} is not loaded here: take the newest placement and call another replica`);
  }
}

/** Ascending by expert. */
function groupByExpert({ rowOffsets, experts }: ExpertBatch): PairsOfExpert[] {
  const groups = new Map<number, PairsOfExpert>();
  for (let row = 0; row + 1 < rowOffsets.length; row++) {
    for (let pair = rowOffsets[row]!; pair < rowOffsets[row + 1]!; pair++) {
      const expert = experts[pair]!;
      let group = groups.get(expert);
      if (group === undefined) groups.set(expert, (group = { expert, rows: [], pairs: [] }));
      group.rows.push(row);
      group.pairs.push(pair);
    }
  }
  return [...groups.values()].sort((a, b) => a.expert - b.expert);
}

/** Adds each weighted row of one expert's result to its place in the reply: that of its token, or that of its pair. */
function addGroup(output: Float32Array, { gates, hiddenSize, reduce }: ExpertBatch, { rows, pairs }: PairsOfExpert, values: Float32Array): void {
  scatterAddWeighted(output, { values, width: hiddenSize, places: reduce ? rows : pairs }, pairs.map((pair) => gates[pair]!));
}
