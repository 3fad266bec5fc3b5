import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LeaseId, leaseId, workerId, type WorkerState } from '@essaim/core';
import { countedLeases, registration, report } from '../test/samples.ts';
import { Membership, type StateChange } from './index.ts';

const TTL = 3_000;
const CARD_TTL = 5_000;
const membership = (): Membership => new Membership({ leaseTtlMs: TTL, cardLeaseTtlMs: CARD_TTL, newLeaseId: countedLeases() });

/** Time as the control plane tells it: often. */
function pass(members: Membership, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): StateChange[] {
  const changes: StateChange[] = [];
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 100) changes.push(...members.expire(nowMs));
  return [...changes, ...members.expire(toMs)];
}

const states = (members: Membership): string[] => members.members.map(({ registration: { id }, state }) => `${id} ${state}`);

describe('a lease', () => {
  it('lasts as long as it is renewed in time', () => {
    const cluster = membership();
    const lease = cluster.join(registration('w1'), 0);
    expect(lease.ttlMs).toBe(TTL);
    pass(cluster, { fromMs: 0, toMs: TTL - 1 });
    cluster.report(report(lease.id), TTL - 1);
    expect(pass(cluster, { fromMs: TTL - 1, toMs: 2 * TTL - 2 })).toEqual([]);
    expect(cluster.expire(2 * TTL - 1)).toEqual([{ worker: 'w1', from: 'ready', to: 'lost' }]);
  });

  it('lasts longer with a card, whose driver blocks its worker at times', () => {
    const cluster = membership();
    const { device } = registration('w1');
    const lease = cluster.join(registration('w1', { device: { ...device, card: { index: 0, pciBusId: null, nvlinkDomain: null, uploadBytesPerSecond: null } } }), 0);
    expect(lease.ttlMs).toBe(CARD_TTL);
    cluster.report(report(lease.id), 0);
    expect(pass(cluster, { fromMs: 0, toMs: CARD_TTL - 1 })).toEqual([]);
    expect(cluster.expire(CARD_TTL)).toEqual([{ worker: 'w1', from: 'ready', to: 'lost' }]);
  });

  it('does not end while it is this process that stands still', () => {
    const cluster = membership();
    const lease = cluster.join(registration('w1'), 0);
    expect(cluster.expire(60_000)).toEqual([]);
    cluster.report(report(lease.id), 120_000);
    expect(pass(cluster, { fromMs: 120_000, toMs: 120_000 + TTL })).toEqual([{ worker: 'w1', from: 'ready', to: 'lost' }]);
  });

  it('is gone the moment its time is over, also before anybody looked', () => {
    const cluster = membership();
    const lease = cluster.join(registration('w1'), 0);
    pass(cluster, { fromMs: 0, toMs: TTL - 1 });
    expect(() => cluster.report(report(lease.id), TTL)).toThrow(expect.objectContaining({ code: 'not_found', message: expect.stringContaining('join again') as string }));
    expect(() => cluster.leave(lease.id, TTL)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('of an unknown id is refused', () => {
    expect(() => membership().report(report(leaseId('stranger')), 0)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('goes to the newer process when a worker id joins twice', () => {
    const cluster = membership();
    const older = cluster.join(registration('w1', { pid: 1 }), 0);
    const newer = cluster.join(registration('w1', { pid: 2 }), 10);
    expect(() => cluster.report(report(older.id), 20)).toThrow(expect.objectContaining({ code: 'not_found' }));
    cluster.report(report(newer.id), 20);
    expect(cluster.members.map(({ registration: { pid } }) => pid)).toEqual([2]);
  });

  it('is not for a worker that computes otherwise than the others, unless it takes the place of the only one that does not', () => {
    const cluster = membership();
    cluster.join(registration('w1'), 0);
    const other = registration('w2', { numerics: { kvDtype: 'bf16', computeDtype: 'f32' } });
    expect(() => cluster.join(other, 0)).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringMatching(/^worker w2 keeps keys and values as bf16 .* where w1 keeps keys and values as f32 .*: start it with the same --kv-dtype/) as string }));
    expect(states(cluster)).toEqual(['w1 joining']);
    cluster.join({ ...other, id: workerId('w1') }, 10);
    cluster.join(other, 10);
    expect(states(cluster)).toEqual(['w1 joining', 'w2 joining']);
  });

  it('that is given back leaves nothing behind', () => {
    const cluster = membership();
    expect(cluster.leave(cluster.join(registration('w1'), 0).id, 1)).toEqual({ worker: 'w1', from: 'joining', to: 'left' });
    expect([cluster.members, cluster.lost]).toEqual([[], []]);
  });
});

describe('a state', () => {
  it('moves forward only, so that a worker which loads more experts goes on leading', () => {
    const cluster = membership();
    const { id } = cluster.join(registration('w1'), 0);
    const seen = (['loading', 'ready', 'loading', 'draining', 'ready'] as const).map((state) => {
      cluster.report(report(id, { state }), 1);
      return cluster.members[0]!.state;
    });
    expect(seen).toEqual(['loading', 'ready', 'ready', 'draining', 'draining']);
  });

  it('is not ready while a lead has no dense part, but a mere expert worker needs none', () => {
    const cluster = membership();
    const lead = cluster.join(registration('w1'), 0);
    const expert = cluster.join(registration('w2', { roles: { lead: false, expert: true } }), 0);
    cluster.report(report(lead.id, { leadReady: false }), 1);
    cluster.report(report(expert.id, { leadReady: false }), 1);
    expect(states(cluster)).toEqual(['w1 loading', 'w2 ready']);
  });
});

describe('lost workers', () => {
  it('stay listed for ten minutes, the latest sixteen, unless they come back', () => {
    const cluster = membership();
    for (let index = 1; index <= 20; index++) cluster.join(registration(`w${index}`), index);
    pass(cluster, { fromMs: 20, toMs: TTL + 20 });
    expect(cluster.lost.length).toBe(16);
    expect(cluster.lost.map(({ state }) => state)).toEqual(Array.from({ length: 16 }, () => 'lost'));
    cluster.join(registration(cluster.lost[0]!.registration.id), TTL + 21);
    expect(cluster.lost.length).toBe(15);
    pass(cluster, { fromMs: TTL + 21, toMs: TTL + 30_000 });
    expect(cluster.lost.length).toBe(16);
    cluster.expire(TTL + 20 + 600_000);
    expect(cluster.lost.length).toBe(1);
  });

  it('include one that is ended early', () => {
    const cluster = membership();
    expect(cluster.lose(cluster.join(registration('w1'), 0).id, 1)).toEqual({ worker: 'w1', from: 'joining', to: 'lost' });
    expect(cluster.lost.map(({ lostAtMs }) => lostAtMs)).toEqual([1]);
  });
});

it('refuses more than 1024 workers in a sentence', () => {
  const cluster = membership();
  for (let index = 0; index < 1024; index++) cluster.join(registration(`w${index}`), 0);
  expect(() => cluster.join(registration('w2000'), 0)).toThrow(expect.objectContaining({ code: 'resource_exhausted' }));
  cluster.join(registration('w7'), 0);
});

type Step = { readonly kind: 'join' | 'report' | 'leave' | 'expire'; readonly index: number; readonly passesMs: number; readonly state: 'joining' | 'loading' | 'ready' | 'draining' };
const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({
  kind: fc.constantFrom('join', 'report', 'report', 'leave', 'expire'), index: fc.nat(5), passesMs: fc.nat(TTL / 2), state: fc.constantFrom('joining', 'loading', 'ready', 'draining'),
}), { maxLength: 60, size: 'max' });

it('under any history: one lease a worker, no lease twice, a lost lease never lives again, states only move forward', () => {
  fc.assert(fc.property(steps, (history) => {
    const cluster = membership();
    const leases: LeaseId[] = [];
    const gone = new Set<LeaseId>();
    const furthest = new Map<LeaseId, number>();
    const order: WorkerState[] = ['joining', 'loading', 'ready', 'draining', 'lost'];
    let nowMs = 0;
    for (const { kind, index, passesMs, state } of history) {
      nowMs += passesMs;
      const lease = leases[index % Math.max(1, leases.length)] ?? leaseId('none');
      try {
        if (kind === 'join') leases.push(cluster.join(registration(`w${index % 3}`), nowMs).id);
        else if (kind === 'report') cluster.report(report(lease, { state }), nowMs);
        else if (kind === 'leave') cluster.leave(lease, nowMs);
        else cluster.expire(nowMs);
      } catch (error) {
        expect(error).toMatchObject({ code: 'not_found' });
      }
      const live = cluster.members;
      expect(new Set(live.map(({ registration: { id } }) => id)).size).toBe(live.length);
      expect(new Set(leases).size).toBe(leases.length);
      for (const member of live) {
        expect(gone.has(member.leaseId)).toBe(false);
        expect(order.indexOf(member.state)).toBeGreaterThanOrEqual(furthest.get(member.leaseId) ?? 0);
        furthest.set(member.leaseId, order.indexOf(member.state));
      }
      for (const each of leases) if (!live.some(({ leaseId: id }) => id === each)) gone.add(each);
      expect(cluster.lost.every(({ registration: { id } }) => live.every((member) => member.registration.id !== id))).toBe(true);
    }
  }));
});
