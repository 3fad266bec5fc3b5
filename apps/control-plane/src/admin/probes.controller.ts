import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Registry } from 'prom-client';
import { type AdminSubject, METRICS, SUBJECT } from './subject.ts';

/** What orchestrators and Prometheus ask. */
@Controller()
@ApiExcludeController()
export class ProbesController {
  readonly #subject: AdminSubject;
  readonly #metrics: Registry;

  constructor(@Inject(SUBJECT) subject: AdminSubject, @Inject(METRICS) metrics: Registry) {
    this.#subject = subject;
    this.#metrics = metrics;
  }

  @Get('livez')
  live(): { readonly status: string } {
    return { status: 'live' };
  }

  /** Ready is who can publish: leases are served and the store keeps epochs. Whether the cluster can answer is the gateway's to say. */
  @Get('readyz')
  ready(): { readonly status: string } {
    if (this.#subject.cluster.problem !== null) throw this.#subject.cluster.problem;
    return { status: 'ready' };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.#metrics.metrics();
  }
}
