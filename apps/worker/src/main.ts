import { setFlagsFromString } from 'node:v8';
import { type DeviceChoice } from '@essaim/devices';
import { kernelsModule } from '@essaim/kernels';
import { runProcess } from '@essaim/process';
import { createLogger } from '@essaim/telemetry';
import { readEnvironment } from './environment.ts';
import { ClusterWorker } from './worker.ts';

/**
 * A full garbage collection once the heap, activations included, is three times what the last one left. By itself V8 waits for a fifth more:
 * with tens of megabytes of code and objects that are a few steps' activations, so that a lead in a cluster was collected six times a second
 * (BENCHMARKS.md, what sharing a model's work costs).
 */
setFlagsFromString('--heap-growing-percent=200');

const mayBeProcessor = (choice: DeviceChoice): boolean => choice.kind === 'auto' || choice.provider === 'cpu';

const logger = createLogger({ component: `worker ${process.env['ESSAIM_WORKER_ID'] ?? ''}`, level: 'info' });

await runProcess({
  main: async (stop) => {
    const environment = readEnvironment(stop);
    // Compiled while the control plane is not there yet; a worker that is told to take a card does without.
    if (mayBeProcessor(environment.device)) await kernelsModule();
    await new ClusterWorker(environment, logger).run(stop);
  },
  onFailure: (error) => logger.error({ error }, 'the worker ends'),
});
