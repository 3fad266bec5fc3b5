import { Controller, Get, Inject, Param } from '@nestjs/common';
import { requireModel } from '../generation/to-request.ts';
import { type ServedModel } from '../model/served-model.ts';
import { GATEWAY, type GatewayServices } from './services.ts';

@Controller('v1/models')
export class ModelsController {
  readonly #model: ServedModel;

  constructor(@Inject(GATEWAY) { context }: GatewayServices) {
    this.#model = context.model;
  }

  @Get()
  list(): object {
    return { object: 'list', data: [toModelObject(this.#model)] };
  }

  @Get(':id')
  one(@Param('id') id: string): object {
    requireModel(id, this.#model);
    return toModelObject(this.#model);
  }
}

/** `max_model_len` is vLLM's name for the context in tokens, which tools look for. */
const toModelObject = ({ id, loadedAt, spec }: ServedModel): object => ({ id, object: 'model', created: loadedAt, owned_by: 'essaim', max_model_len: spec.contextLength });
