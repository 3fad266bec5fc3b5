import { runProcess } from '@essaim/process';
import { createLogger } from '@essaim/telemetry';
import { readEnvironment } from './environment.ts';
import { ClusterWorker } from './worker.ts';

const logger = createLogger({ component: `worker ${process.env['ESSAIM_WORKER_ID'] ?? ''}`, level: 'info' });

await runProcess({
  main: async (stop) => new ClusterWorker(await readEnvironment(stop), logger).run(stop),
  onFailure: (error) => logger.error({ error }, 'the worker ends'),
});
