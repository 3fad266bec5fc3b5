import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, hostedExperts, workerId } from '@essaim/core';
import { type ClusterState } from '@essaim/membership';
import { createLogger } from '@essaim/telemetry';
import { MODEL, openState, registration, report, SPEC, TIMES } from '../../test/samples.ts';
import { type ClusterView } from '../cluster-service.ts';
import { type AdminServer, serveAdmin } from './admin-server.ts';

const logger = createLogger({ component: 'test', level: 'silent' });
let problem: AppError | null = null;
let state: ClusterState;
let server: AdminServer;

beforeAll(async () => {
  state = await openState({ open: async (clusterId) => ({ clusterId, epoch: 4 }), commitEpoch: async () => undefined, close: async () => undefined });
  const cluster: ClusterView = { get members() { return state.members; }, get lost() { return state.lost; }, get published() { return state.published; }, get problem() { return problem; } };
  server = await serveAdmin({ cluster, model: MODEL, spec: SPEC }, { host: '127.0.0.1', port: 0, logger });
});
afterAll(() => server.close());

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`, init);
const read = async (path: string): Promise<unknown> => (await get(path)).json();

const CARD = { index: 1, pciBusId: '0000:3b:00.0', nvlinkDomain: null, uploadBytesPerSecond: 25e9 };

/** One worker has loaded, one joined only, one is lost. */
function fillCluster(): void {
  state.join(registration('w9'), 0);
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 1_000) state.advance(nowMs);
  const lease = state.join(registration('w1'), 10_000);
  state.join({ ...registration('w2'), device: { ...registration('w2').device, kind: 'cuda', card: CARD } }, 10_000);
  state.advance(10_000);
  state.commit(state.next()!);
  state.report(report(lease.id, { epoch: 5, hosted: hostedExperts(state.published!, workerId('w1')) }), 10_001);
  state.commit(state.next()!);
}

describe('before the first worker', () => {
  it('shows an empty cluster', async () => {
    expect(await read('/api/v1/workers')).toEqual({ workers: [] });
    expect(await read('/api/v1/placement')).toEqual({ epoch: 0, layers: [] });
  });
});

describe('a running cluster', () => {
  beforeAll(fillCluster);

  it('lists its workers with what they hold, the lost ones last', async () => {
    const { workers } = (await read('/api/v1/workers')) as { workers: Record<string, unknown>[] };
    expect(workers.map(({ id, state: itsState }) => `${String(id)} ${String(itsState)}`)).toEqual(['w1 ready', 'w2 joining', 'w9 lost']);
    const { id, pid, hostname, address, roles, device, numerics, needs } = registration('w1');
    expect(workers[0]).toEqual({
      id, pid, hostname, address, roles, device, numerics, needs, state: 'ready', residentBytes: 100, progress: { doneBytes: 5, totalBytes: 5 },
      hosted: hostedExperts(state.published!, workerId('w1')).map((key) => ({ ...key, state: 'ready' })),
      runningSequences: 1, waitingSequences: 2, kvUsedBytes: 3, kvBudgetBytes: 4, times: TIMES, epoch: 5,
    });
    expect(workers[2]).toMatchObject({ hosted: [], residentBytes: 0 });
  });

  it('tells where the card of a worker is among others', async () => {
    expect(await read('/api/v1/workers')).toMatchObject({ workers: [{ device: { kind: 'cpu', card: null } }, { device: { kind: 'cuda', card: CARD } }, {}] });
  });

  it('shows where each expert is', async () => {
    const placement = (await read('/api/v1/placement')) as { epoch: number; layers: { layer: number; experts: { expert: number; replicas: { worker: string; state: string }[] }[] }[] };
    expect(placement.epoch).toBe(6);
    expect(placement.layers.map(({ layer }) => layer)).toEqual([0, 1]);
    const states = new Map(placement.layers.flatMap(({ experts }) => experts.flatMap(({ replicas }) => replicas)).map((replica) => [replica.worker, replica.state]));
    expect(Object.fromEntries(states)).toEqual({ w1: 'ready', w2: 'loading' });
  });

  it('describes the model', async () => {
    expect(await read('/api/v1/models')).toEqual({ models: [{
      id: 'm', dtype: 'float32', deterministic: false, family: 'mixtral', layerCount: 2, expertCount: 4, expertsPerToken: 2, contextLength: 64, vocabSize: 16, hiddenSize: 8,
    }] });
  });

  it('counts workers and replicas by state for Prometheus', async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of ['essaim_workers{state="ready"} 1', 'essaim_workers{state="lost"} 1', 'essaim_workers{state="draining"} 0', 'essaim_replicas{state="loading"} 4', 'essaim_replicas{state="ready"} 4', 'essaim_epoch 6']) {
      expect(text.split('\n')).toContain(line);
    }
  });
});

describe('the times that workers tell', () => {
  it('are seconds by worker and phase for Prometheus, of those that live', async () => {
    const lines = (await (await get('/metrics')).text()).split('\n');
    expect(lines).toContain('essaim_worker_lead_seconds_total{worker="w1",phase="idle"} 8');
    expect(lines).toContain('essaim_worker_expert_seconds_total{worker="w1",phase="compute"} 1.5');
    expect(lines.filter((line) => line.startsWith('essaim_worker_steps_total'))).toEqual(['essaim_worker_steps_total{worker="w1"} 12']);
  });

  it('are no more the second time than the first', async () => {
    const count = async (): Promise<string | undefined> => (await (await get('/metrics')).text()).split('\n').find((line) => line.startsWith('essaim_worker_steps_total'));
    expect(await count()).toBe(await count());
  });
});

describe('the OpenAPI document', () => {
  type Schema = { $ref?: string; type?: string; properties?: Record<string, Schema>; items?: Schema; allOf?: Schema[]; enum?: unknown[]; required?: string[]; nullable?: boolean };
  interface Document { openapi: string; paths: Record<string, { get: { operationId: string; responses: Record<string, { content: Record<string, { schema: Schema }> }> } }>; components: { schemas: Record<string, Schema> } }

  /** Where a value is not as its schema says; every property must be described. */
  function violations(document: Document, schema: Schema, value: unknown, path: string): string[] {
    if (value === null) return schema.nullable ? [] : [`${path} is null`];
    const named = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (named !== undefined) {
      const target = document.components.schemas[named.replace('#/components/schemas/', '')];
      return target ? violations(document, target, value, path) : [`${path}: ${named} is missing`];
    }
    if (schema.enum) return schema.enum.includes(value) ? [] : [`${path}: ${String(value)} is not in the enum`];
    if (schema.type === 'array') return (value as unknown[]).flatMap((item, index) => violations(document, schema.items!, item, `${path}[${index}]`));
    if (schema.type === 'object') {
      const { properties = {}, required = [] } = schema;
      const undescribed = Object.keys(value as object).filter((key) => !(key in properties)).map((key) => `${path}.${key} is not described`);
      const missing = required.filter((key) => !(key in (value as object))).map((key) => `${path}.${key} is missing`);
      return [...undescribed, ...missing, ...Object.entries(value as object).flatMap(([key, each]) => (properties[key] ? violations(document, properties[key], each, `${path}.${key}`) : []))];
    }
    const matches = schema.type === 'integer' ? Number.isInteger(value) : typeof value === schema.type;
    return matches ? [] : [`${path}: ${JSON.stringify(value)} is no ${schema.type}`];
  }

  it('describes every route, and every answer is as described', async () => {
    const document = (await read('/api/openapi.json')) as Document;
    expect(document.openapi).toMatch(/^3\./);
    expect(Object.keys(document.paths).sort()).toEqual(['/api/v1/models', '/api/v1/placement', '/api/v1/workers']);
    for (const [path, { get: operation }] of Object.entries(document.paths)) {
      const schema = operation.responses['200']!.content['application/json']!.schema;
      expect(violations(document, schema, await read(path), path)).toEqual([]);
    }
  });
});

describe('the edges', () => {
  it.each([['GET', '/nothing'], ['POST', '/api/v1/workers'], ['GET', '/api/v1'], ['DELETE', '/api/v1/workers/w1']])('answers %s %s with 404 in the one error shape', async (method, path) => {
    const response = await get(path, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: { code: 'not_found', message: `${method} ${path} is no route of the admin API: see /api/openapi.json` } });
  });

  it.each([['that is too large', JSON.stringify('x'.repeat(20_000)), 413], ['that is no JSON', '{', 400]])('refuses a body %s, in the one error shape', async (_what, body, status) => {
    const response = await get('/api/v1/workers', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { code: 'invalid_argument', message: 'the request is malformed or too large' } });
  });

  it('sends headers that keep browsers from guessing, framing and sharing, also with errors', async () => {
    for (const path of ['/api/v1/workers', '/nothing', '/api/openapi.json']) {
      const { headers } = await get(path, { headers: { origin: 'https://elsewhere.example' } });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('is live always, and ready unless nothing can be published', async () => {
    expect([(await get('/livez')).status, (await get('/readyz')).status]).toEqual([200, 200]);
    problem = new AppError('unavailable', 'the store is away');
    const response = await get('/readyz');
    problem = null;
    expect([response.status, await response.json()]).toEqual([503, { error: { code: 'unavailable', message: 'the store is away' } }]);
  });

  it('names the port that is taken', async () => {
    const other = createServer().listen({ host: '127.0.0.1', port: 0 });
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const cluster: ClusterView = { members: [], lost: [], published: null, problem: null };
    await expect(serveAdmin({ cluster, model: MODEL, spec: SPEC }, { host: '127.0.0.1', port, logger })).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining(`port 127.0.0.1:${port} is taken`) as string });
    other.close();
  });
});
