import { type ModelRef } from '@essaim/core';
import { modelVariables, portVariable, textVariable, wholeVariable } from '@essaim/process';

/** What this process is told through its environment. */
export interface Settings {
  readonly model: ModelRef;
  readonly expectedWorkers: number;
  readonly replicas: number;
  readonly stateDirectory: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly adminPort: number;
  /** For workers and gateways; 0 lets the system choose. */
  readonly controlPort: number;
}

/** Fails with `invalid_argument` naming the variable that is missing or wrong. */
export function readSettings(): Settings {
  return {
    model: modelVariables(),
    expectedWorkers: wholeVariable('ESSAIM_EXPECTED_WORKERS', { from: 1, to: 1024 }),
    replicas: wholeVariable('ESSAIM_REPLICAS', { from: 1, to: 1024 }),
    stateDirectory: textVariable('ESSAIM_STATE_DIR'),
    host: textVariable('ESSAIM_HOST'),
    adminPort: portVariable('ESSAIM_ADMIN_PORT'),
    controlPort: portVariable('ESSAIM_CONTROL_PORT'),
  };
}
