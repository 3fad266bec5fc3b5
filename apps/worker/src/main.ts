import { kernelsModule } from '@essaim/kernels';
import { runProcess } from '@essaim/process';
import { createLogger } from '@essaim/telemetry';
import { readEnvironment } from './environment.ts';
import { ClusterWorker } from './worker.ts';

const logger = createLogger({ component: `worker ${process.env['ESSAIM_WORKER_ID'] ?? ''}`, level: 'info' });

await runProcess({
  main: async (stop) => {
    const environment = readEnvironment(stop);
    // Compiled while the control plane is not there yet.
    await Promise.all([environment, kernelsModule()]);
    await new ClusterWorker(await environment, logger).run(stop);
  },
  onFailure: (error) => logger.error({ error }, 'the worker ends'),
});
