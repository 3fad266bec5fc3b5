import { type ClusterSnapshot, type WorkerId } from '@essaim/core';
import { type ExpertPeer } from '@essaim/dispatch';
import { type Connection, connectWorker, type WorkerConnectionOptions } from '@essaim/rpc';

/** Connections to the other workers of the placement, one each. They connect when first used. */
export class Peers {
  readonly #self: WorkerId;
  readonly #options: WorkerConnectionOptions;
  readonly #connections = new Map<WorkerId, ExpertPeer & Connection>();

  constructor(self: WorkerId, options: WorkerConnectionOptions) {
    this.#self = self;
    this.#options = options;
  }

  get(worker: WorkerId): ExpertPeer | null {
    return this.#connections.get(worker) ?? null;
  }

  /** Opens what a snapshot adds and closes what it no longer has: calls to a lost worker fail at once. */
  follow({ workers }: ClusterSnapshot): void {
    const addresses = new Map(workers.filter(({ id, state }) => id !== this.#self && state !== 'lost').map(({ id, address }) => [id, address]));
    for (const [id, connection] of this.#connections) {
      if (addresses.get(id) !== connection.address) this.#close(id, connection);
    }
    for (const [id, address] of addresses) {
      if (!this.#connections.has(id)) this.#connections.set(id, connectWorker(address, this.#options));
    }
  }

  close(): void {
    for (const [id, connection] of this.#connections) this.#close(id, connection);
  }

  #close(id: WorkerId, connection: Connection): void {
    this.#connections.delete(id);
    connection.close();
  }
}
