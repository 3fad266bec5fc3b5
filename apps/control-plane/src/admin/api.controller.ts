import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ModelList, modelList } from './models.ts';
import { PlacementView, placementView } from './placement.ts';
import { type AdminSubject, SUBJECT } from './subject.ts';
import { WorkerList, workerList } from './workers.ts';

/** What operators, the console and the command line read. */
@Controller('api/v1')
export class ApiController {
  readonly #subject: AdminSubject;

  constructor(@Inject(SUBJECT) subject: AdminSubject) {
    this.#subject = subject;
  }

  @Get('workers')
  @ApiOperation({ operationId: 'listWorkers', summary: 'Workers, the lately lost ones included' })
  @ApiOkResponse({ type: WorkerList })
  listWorkers(): WorkerList {
    return workerList(this.#subject.cluster);
  }

  @Get('models')
  @ApiOperation({ operationId: 'listModels', summary: 'Models that this cluster serves' })
  @ApiOkResponse({ type: ModelList })
  listModels(): ModelList {
    return modelList(this.#subject.model, this.#subject.spec);
  }

  @Get('placement')
  @ApiOperation({ operationId: 'getPlacement', summary: 'Where each expert is, as workers and gateways know it' })
  @ApiOkResponse({ type: PlacementView })
  getPlacement(): PlacementView {
    return placementView(this.#subject.cluster.published);
  }
}
