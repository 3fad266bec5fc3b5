import { assert, type ClusterSnapshot, type WorkerId } from '@essaim/core';
import { type Connection, type LeadApi } from '@essaim/rpc';

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
    this.#closeIdle(snapshot);
    const candidates = snapshot.workers.filter(({ id, roles, state }) => roles.lead && state === 'ready' && !except.has(id));
    const fewest = Math.min(...candidates.map(({ id }) => this.#sequencesOf(id)));
    const idlest = candidates.filter(({ id }) => this.#sequencesOf(id) === fewest);
    const chosen = idlest[this.#turn++ % idlest.length];
    return chosen === undefined ? null : this.#lend(chosen.id, chosen.address);
  }

  /** Ends every connection; sequences under way fail. */
  close(): void {
    for (const { connection } of this.#held.values()) connection.close();
    this.#held.clear();
  }

  #lend(id: WorkerId, address: string): Lead {
    const held = this.#held.get(id) ?? { connection: this.#connect(address), sequences: 0 };
    this.#held.set(id, held);
    held.sequences++;
    return {
      id,
      generate: (request, signal) => held.connection.generate(request, signal),
      [Symbol.dispose]: () => {
        assert(held.sequences > 0, 'a lead is given back once');
        held.sequences--;
      },
    };
  }

  #sequencesOf(id: WorkerId): number {
    return this.#held.get(id)?.sequences ?? 0;
  }

  /** A worker that left never comes back under its id. */
  #closeIdle({ workers }: ClusterSnapshot): void {
    const present = new Set(workers.filter(({ state }) => state !== 'lost').map(({ id }) => id));
    for (const [id, { connection, sequences }] of this.#held) {
      if (present.has(id) || sequences > 0) continue;
      connection.close();
      this.#held.delete(id);
    }
  }
}
