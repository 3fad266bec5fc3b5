import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { connectControlPlane, type Connection, type ControlPlaneApi } from '@essaim/rpc';
import { createLogger } from '@essaim/telemetry';
import { ManualClock } from '@essaim/testing';
import { NEVER, snapshot } from '../test/samples.ts';
import { TestControlPlane } from '../test/test-control-plane.ts';
import { askForModel } from './cluster-model.ts';

const logger = createLogger({ component: 'test', level: 'silent' });

let control: TestControlPlane;
let connection: ControlPlaneApi & Connection;
let clock: ManualClock;
beforeEach(async () => {
  control = await TestControlPlane.start();
  connection = connectControlPlane(control.address, { tls: 'insecure-loopback' });
  clock = new ManualClock();
});
afterEach(async () => {
  connection.close();
  await control.stop();
});

const ask = (stop = NEVER): ReturnType<typeof askForModel> => askForModel(connection, { clock, logger }, stop);

it('the control plane says what the cluster serves', async () => {
  expect(await ask()).toEqual(snapshot(0).model);
});

it('a control plane that is not there yet is asked again, until told to stop', async () => {
  const { port } = control;
  await control.stop();
  const [stop, asked] = [new AbortController(), ask()];
  const given = ask(stop.signal);
  given.catch(() => undefined);
  await expect.poll(() => clock.sleeping).toBe(2);
  stop.abort(new AppError('cancelled', 'this process was asked to stop'));
  await expect(given).rejects.toMatchObject({ code: 'cancelled' });
  control = await TestControlPlane.start({ port });
  await expect.poll(() => (clock.pass(250), clock.sleeping), { timeout: 30_000 }).toBe(0);
  expect(await asked).toEqual(snapshot(0).model);
});

it('one that does not know the question is of an older version, and one that refuses is not asked again', async () => {
  const refusing = (error: AppError): Promise<unknown> => askForModel({ model: () => Promise.reject(error) }, { clock, logger }, NEVER);
  await expect(refusing(new AppError('unimplemented', 'no such method'))).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('older version') as string });
  await expect(refusing(new AppError('permission_denied', 'not with this certificate'))).rejects.toMatchObject({ code: 'permission_denied' });
});
