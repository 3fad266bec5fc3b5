import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterAuthority, type ClusterRole, createClusterAuthority, issueCertificate } from '@essaim/auth';
import { leaseId } from '@essaim/core';
import { connectControlPlane, connectWorker, type PeerSecurity, serveControlPlane, serveWorker, type TlsMaterial } from '../src/index.ts';
import { batch, REGISTRATION, REPORT, SEQUENCE_REQUEST } from './samples.ts';
import { collect, failureOf, NEVER } from './streams.ts';

const NOW = new Date();
const TWO_YEARS_AGO = new Date(NOW.getTime() - 730 * 86_400_000);
const cleanups: (() => unknown)[] = [];
let authority: ClusterAuthority;
let stranger: ClusterAuthority;

beforeAll(async () => {
  authority = await createClusterAuthority({ now: TWO_YEARS_AGO });
  stranger = await createClusterAuthority({ now: NOW });
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const issue = (role: ClusterRole, { by = authority, now = NOW } = {}): Promise<TlsMaterial> => issueCertificate(by, { role, name: `${role}-1`, now });

const reached: string[] = [];
const reach = (method: string) => () => (reached.push(method), Promise.reject(new Error('reached')));
const reachStream = (method: string) => () => { reached.push(method); throw new Error('reached'); };

/** Both servers; each handler only notes that a call got so far. */
async function serve(server: 'control-plane' | 'worker', tls: PeerSecurity, host = '127.0.0.1'): Promise<string> {
  reached.length = 0;
  const options = { host, port: 0, tls };
  const started = server === 'worker'
    ? await serveWorker({ lead: { generate: reachStream('generate') }, expert: { execute: reach('execute') }, epoch: () => 1 }, options)
    : await serveControlPlane({ model: reach('model'), join: reach('join'), report: reach('report'), leave: reach('leave'), watch: reachStream('watch') }, options);
  cleanups.push(() => started.close({ graceMs: 0 }));
  return started.address;
}

/** Every method of the wire between components, called at an address with these certificates. */
const METHODS = {
  model: (address: string, tls: PeerSecurity) => onControlPlane(address, tls, (api) => api.model(NEVER)),
  join: (address: string, tls: PeerSecurity) => onControlPlane(address, tls, (api) => api.join(REGISTRATION, NEVER)),
  report: (address: string, tls: PeerSecurity) => onControlPlane(address, tls, (api) => api.report(REPORT, NEVER)),
  leave: (address: string, tls: PeerSecurity) => onControlPlane(address, tls, (api) => api.leave(leaseId('lease-1'), NEVER)),
  watch: (address: string, tls: PeerSecurity) => onControlPlane(address, tls, (api) => collect(api.watch(NEVER))),
  generate: (address: string, tls: PeerSecurity) => onWorker(address, tls, (api) => collect(api.generate(SEQUENCE_REQUEST, NEVER))),
  execute: (address: string, tls: PeerSecurity) => onWorker(address, tls, (api) => api.execute(batch(1, 4), NEVER)),
};
type Method = keyof typeof METHODS;

const serverOf = (method: Method): 'control-plane' | 'worker' => (method === 'generate' || method === 'execute' ? 'worker' : 'control-plane');

function onControlPlane(address: string, tls: PeerSecurity, call: (api: ReturnType<typeof connectControlPlane>) => Promise<unknown>): Promise<unknown> {
  const api = connectControlPlane(address, { tls });
  return failureOf(call(api)).finally(() => api.close());
}

function onWorker(address: string, tls: PeerSecurity, call: (api: ReturnType<typeof connectWorker>) => Promise<unknown>): Promise<unknown> {
  const api = connectWorker(address, { tls });
  return failureOf(call(api)).finally(() => api.close());
}

describe('each method lets in the roles that it is for and no other', () => {
  const allowed: Readonly<Record<Method, readonly ClusterRole[]>> = {
    model: ['worker'], join: ['worker'], report: ['worker'], leave: ['worker'], watch: ['worker', 'gateway'], generate: ['gateway'], execute: ['worker'],
  };
  const cases = (Object.keys(METHODS) as Method[]).flatMap((method) => (['control-plane', 'gateway', 'worker'] as const).map((role) => [method, role] as const));

  it.each(cases)('%s called by a %s', async (method, role) => {
    const server = serverOf(method);
    const address = await serve(server, await issue(server));
    const failure = await METHODS[method](address, await issue(role));
    if (allowed[method].includes(role)) {
      expect([reached, failure]).toEqual([[method], expect.objectContaining({ code: 'internal', message: 'an internal error occurred' })]);
    } else {
      expect(reached).toEqual([]);
      expect(failure).toMatchObject({ name: 'AppError', code: 'permission_denied', message: expect.stringMatching(new RegExp(`is for ${allowed[method].join(' and ')} certificates; the caller's is ${role}$`)) as string });
    }
  });
});

describe('no call gets past the handshake', () => {
  const refused = async (tls: PeerSecurity): Promise<void> => {
    const address = await serve('control-plane', await issue('control-plane'));
    expect(await METHODS.join(address, tls)).toMatchObject({ name: 'AppError', code: 'unavailable', message: expect.stringContaining(address) as string });
    expect(reached).toEqual([]);
  };

  it('with a certificate of another authority', async () => refused({ ...(await issue('worker', { by: stranger })), caPem: authority.certificatePem }));
  it('with an expired certificate', async () => refused(await issue('worker', { now: TWO_YEARS_AGO })));
  it('with a certificate that does not hold yet', async () => refused(await issue('worker', { now: new Date(NOW.getTime() + 86_400_000) })));
  it('in plain text', async () => refused('insecure-loopback'));

  it('without a certificate', async () => {
    const address = await serve('control-plane', await issue('control-plane'));
    const client = new Client(address, ChannelCredentials.createSsl(Buffer.from(authority.certificatePem)));
    cleanups.push(() => client.close());
    const same = (bytes: Buffer): Buffer => bytes;
    const failure = await new Promise((resolve) => client.makeUnaryRequest('/essaim.cluster.v1.ControlPlaneService/Leave', same, same, Buffer.alloc(0), resolve));
    expect(failure).toMatchObject({ code: 14 });
    expect(reached).toEqual([]);
  });
});

describe('a caller refuses a server', () => {
  const distrust = (address: string): object => ({ name: 'AppError', code: 'unavailable', message: `${address} and this process do not trust each other: both need certificates of the same cluster, each for its own role` });

  it.each(['gateway', 'worker'] as const)('that is a %s where a control plane should be', async (role) => {
    const address = await serve('control-plane', await issue(role));
    expect(await METHODS.join(address, await issue('worker'))).toMatchObject(distrust(address));
  });

  it('that is a control plane where a worker should be', async () => {
    const address = await serve('worker', await issue('control-plane'));
    expect(await METHODS.execute(address, await issue('worker'))).toMatchObject(distrust(address));
  });

  it('of another authority', async () => {
    const address = await serve('control-plane', { ...(await issue('control-plane', { by: stranger })), caPem: authority.certificatePem });
    expect(await METHODS.join(address, await issue('worker'))).toMatchObject(distrust(address));
  });

  it('with an expired certificate', async () => {
    const address = await serve('control-plane', await issue('control-plane', { now: TWO_YEARS_AGO }));
    expect(await METHODS.join(address, await issue('worker'))).toMatchObject(distrust(address));
  });

  it('under a name that its certificate does not hold, and trusts it under those that it does', async () => {
    const address = await serve('control-plane', await issue('control-plane'));
    const port = address.slice(address.lastIndexOf(':'));
    // All of 127.0.0.0/8 is this machine, but the certificate names 127.0.0.1 alone.
    const everywhere = await serve('control-plane', await issue('control-plane'), '127.0.0.2');
    expect(await METHODS.join(everywhere, await issue('worker'))).toMatchObject(distrust(everywhere));
    expect(await METHODS.join(`localhost${port}`, await issue('worker'))).toMatchObject({ code: 'internal' });
  });

  it('that speaks plain text', async () => {
    const address = await serve('control-plane', 'insecure-loopback');
    expect(await METHODS.join(address, await issue('worker'))).toMatchObject({ code: 'unavailable' });
    expect(reached).toEqual([]);
  });
});

describe('without certificates', () => {
  it.each(Object.keys(METHODS) as Method[])('everybody on loopback may call %s', async (method) => {
    const address = await serve(serverOf(method), 'insecure-loopback');
    expect(await METHODS[method](address, 'insecure-loopback')).toMatchObject({ code: 'internal' });
    expect(reached).toEqual([method]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'node-1'])('nothing is served on %s', async (host) => {
    const refusal = { name: 'AppError', code: 'failed_precondition', message: `connections without certificates are for loopback only, not for ${host}: give certificates` };
    for (const server of ['control-plane', 'worker'] as const) await expect(serve(server, 'insecure-loopback', host)).rejects.toMatchObject(refusal);
  });

  it.each(['10.0.0.1:8081', '[2001:db8::1]:8081', '127.0.0.1.example:8081'])('nothing at %s is called', (address) => {
    for (const connect of [connectControlPlane, connectWorker]) {
      expect(() => connect(address, { tls: 'insecure-loopback' })).toThrow(expect.objectContaining({ code: 'failed_precondition' }));
    }
  });
});
