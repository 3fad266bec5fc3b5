import { Controller, Get, Header, Inject } from '@nestjs/common';
import { AppError } from '@essaim/core';
import { GATEWAY, type GatewayServices } from './services.ts';

/** For orchestrators and dashboards. */
@Controller()
export class HealthController {
  readonly #services: GatewayServices;

  constructor(@Inject(GATEWAY) services: GatewayServices) {
    this.#services = services;
  }

  /** This process runs. */
  @Get('livez')
  live(): object {
    return { status: 'ok' };
  }

  /** A token was generated through the present placement. */
  @Get('readyz')
  ready(): object {
    const { state } = this.#services.readiness;
    if (state.kind === 'not_ready') throw new AppError('unavailable', state.reason);
    return { status: 'ready', epoch: state.epoch };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    return this.#services.metrics.registry.metrics();
  }
}
