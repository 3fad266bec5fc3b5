import { runProcess } from '@essaim/process';
import { createLogger } from '@essaim/telemetry';
import { runControlPlane } from './run-control-plane.ts';

const logger = createLogger({ component: 'control-plane', level: 'info' });

await runProcess({
  main: (stop) => runControlPlane(stop, logger),
  onFailure: (error) => logger.error({ error }, 'the control plane ends'),
});
