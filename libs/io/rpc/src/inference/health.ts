import { AppError } from '@essaim/core';
import { healthV1 } from '@essaim/contracts';
import { type Handlers, type Service } from '../bridge/service.ts';

export type Health = 'serving' | 'not_serving';

type Status = healthV1.HealthCheckResponse_ServingStatus;
const STATUS = healthV1.HealthCheckResponse_ServingStatus;

/** grpc.health.v1 of a server whose services are all well or all not. It starts as 'not_serving'. */
export class HealthService implements Service<typeof healthV1.Health> {
  readonly descriptor = healthV1.Health;
  readonly access = { check: 'anyone', list: 'anyone', watch: 'anyone' } as const;
  readonly handlers: Handlers<typeof healthV1.Health>;
  /** '' is the server as a whole. */
  readonly #names: ReadonlySet<string>;
  #status: Status = STATUS.NOT_SERVING;
  #change = Promise.withResolvers<void>();

  /** @param services the full names of the other services of this server */
  constructor(services: readonly string[]) {
    this.#names = new Set(['', ...services]);
    this.handlers = {
      check: async ({ service }) => {
        if (!this.#names.has(service)) throw new AppError('not_found', `there is no service ${service} here: ask reflection for their names`);
        return { status: this.#status };
      },
      list: async () => ({ statuses: Object.fromEntries([...this.#names].map((name) => [name, { status: this.#status }])) }),
      watch: ({ service }, { signal, closing }) => this.#watch(service, AbortSignal.any([signal, closing])),
    };
  }

  set(health: Health): void {
    this.#status = health === 'serving' ? STATUS.SERVING : STATUS.NOT_SERVING;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** The status now and each other one, until the signal aborts. A service that is not here may come, says the protocol; here none does. */
  async *#watch(service: string, over: AbortSignal): AsyncGenerator<{ status: Status }> {
    const ended = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
    for (let told: Status | null = null; !over.aborted; ) {
      const change = this.#change.promise;
      const status = this.#names.has(service) ? this.#status : STATUS.SERVICE_UNKNOWN;
      if (status !== told) yield { status };
      told = status;
      await Promise.race([change, ended]);
    }
  }
}
