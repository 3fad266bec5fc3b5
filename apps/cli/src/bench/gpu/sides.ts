import { type WorkerTimes } from '@essaim/core';
import { connectInference } from '@essaim/rpc';
import { type UpOptions } from '../../up/options.ts';
import { freshTimes } from '../cluster/worker-times.ts';
import { type BenchModel } from '../models.ts';
import { essaimContender } from '../peer/essaim.ts';
import { withCluster } from '../with-cluster.ts';
import { type GpuForm } from './forms.ts';
import { type Side } from './measure-rounds.ts';
import { ENGINE } from './model-rows.ts';
import { BOUNDS } from './peers/bounds.ts';
import { type Rival, type RivalForm } from './peers/rival.ts';

/** A whole cluster, asked over its public gRPC. */
export function essaimSide(cluster: UpOptions, stop: AbortSignal): Side {
  return {
    engine: ENGINE,
    bounds: null,
    run: (use) => withCluster(cluster, async (running, signal) => {
      const gateway = connectInference(running.cluster.addresses.grpc);
      try {
        const readTimes = async (until: AbortSignal): Promise<WorkerTimes> => [...(await freshTimes(running.cluster.addresses.admin, until)).values()][0]!;
        await use({ contender: essaimContender(running.cluster, gateway, cluster.model.id), readTimes }, signal);
      } finally {
        gateway.close();
      }
    }, stop),
  };
}

interface RivalSideOptions {
  readonly model: BenchModel;
  readonly form: GpuForm;
  /** Told what runs, each time. */
  readonly onAbout: (about: string) => void;
  readonly stop: AbortSignal;
}

export function rivalSide(rival: Rival, { model, form, onAbout, stop }: RivalSideOptions): Side {
  const own: RivalForm = form.dtype === 'int4' ? 'int4' : 'f16';
  return {
    engine: rival.name,
    bounds: BOUNDS[rival.name][own],
    async run(use) {
      await using running = await rival.start(model, own, stop);
      onAbout(running.about);
      await use({ contender: running.contender, readTimes: null }, stop);
    },
  };
}
