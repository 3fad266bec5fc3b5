import { assert, type ClusterSnapshot, type WorkerId } from '@essaim/core';
import { type Connection, ConnectionLost, type LeadApi } from '@essaim/rpc';
import { untilAborted } from '../until-aborted.ts';
import { type ClusterView } from './cluster-view.ts';

/** A lead worker taken for one sequence. Disposing of it gives it back. */
export interface Lead extends Disposable, LeadApi {
  readonly id: WorkerId;
}

export interface LeadChoice {
  /** Leads that failed the sequence already. */
  readonly except: ReadonlySet<WorkerId>;
}

interface Held {
  readonly connection: LeadApi & Connection;
  /** Aborts when the worker is lost. */
  readonly lost: AbortController;
  sequences: number;
}

/** Connections to lead workers, one each, and how many of this gateway's sequences every one runs. */
export class LeadPool {
  readonly #connect: (address: string) => LeadApi & Connection;
  readonly #held = new Map<WorkerId, Held>();
  #turn = 0;

  constructor(connect: (address: string) => LeadApi & Connection) {
    this.#connect = connect;
  }

  /** The ready lead that runs the fewest of our sequences, ties in turn; null where there is none. */
  take(snapshot: ClusterSnapshot, { except }: LeadChoice): Lead | null {
    const candidates = snapshot.workers.filter(({ id, roles, state }) => roles.lead && state === 'ready' && !except.has(id));
    const fewest = Math.min(...candidates.map(({ id }) => this.#sequencesOf(id)));
    const idlest = candidates.filter(({ id }) => this.#sequencesOf(id) === fewest);
    const chosen = idlest[this.#turn++ % idlest.length];
    return chosen === undefined ? null : this.#lend(chosen.id, chosen.address);
  }

  /** Until the signal aborts, gives up what a newer look at the cluster no longer has. */
  async follow(view: Pick<ClusterView, 'known'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { snapshot, replaced } = view.known;
      if (snapshot !== null) this.#dropLost(snapshot);
      await untilAborted(AbortSignal.any([signal, replaced]));
    }
  }

  /** Ends every connection; sequences under way fail. */
  close(): void {
    for (const { connection } of this.#held.values()) connection.close();
    this.#held.clear();
  }

  #lend(id: WorkerId, address: string): Lead {
    const held = this.#held.get(id) ?? { connection: this.#connect(address), lost: new AbortController(), sequences: 0 };
    this.#held.set(id, held);
    held.sequences++;
    return {
      id,
      generate: (request, signal) => held.connection.generate(request, AbortSignal.any([signal, held.lost.signal])),
      [Symbol.dispose]: () => {
        assert(held.sequences > 0, 'a lead is given back once');
        held.sequences--;
      },
    };
  }

  #sequencesOf(id: WorkerId): number {
    return this.#held.get(id)?.sequences ?? 0;
  }

  /** A worker that hangs breaks no connection: its sequences go on elsewhere as soon as its lease has run out. One that comes back has a new connection. */
  #dropLost({ workers }: ClusterSnapshot): void {
    const addresses = new Map(workers.filter(({ state }) => state !== 'lost').map(({ id, address }) => [id, address]));
    for (const [id, { connection, lost }] of this.#held) {
      if (addresses.get(id) === connection.address) continue;
      this.#held.delete(id);
      lost.abort(new ConnectionLost('unavailable', `worker ${id} is lost`));
      connection.close();
    }
  }
}
