import { type DynamicModule, Module } from '@nestjs/common';
import { HealthController } from './health.controller.ts';
import { ModelsController } from './models.controller.ts';
import { OpenAiController } from './openai.controller.ts';
import { GATEWAY, type GatewayServices } from './services.ts';

@Module({})
export class GatewayModule {
  static with(services: GatewayServices): DynamicModule {
    return { module: GatewayModule, controllers: [OpenAiController, ModelsController, HealthController], providers: [{ provide: GATEWAY, useValue: services }] };
  }
}
