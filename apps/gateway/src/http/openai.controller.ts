import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { AppError, requestId } from '@essaim/core';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { collectAnswers } from '../generation/collect.ts';
import { type GenerationRequest, sequenceCount } from '../generation/request.ts';
import { type AnswerFormat } from './answer-format.ts';
import { ChatFormat } from './chat-format.ts';
import { parseChatRequest } from './chat-request.ts';
import { CompletionFormat } from './completion-format.ts';
import { parseCompletionRequest } from './completion-request.ts';
import { eventStream } from './event-stream.ts';
import { GATEWAY, type GatewayServices } from './services.ts';
import { type StreamOptions } from './stream-options.ts';
import { usageOf } from './usage.ts';

/** Lines that wait in this process for a slow reader. */
const STREAM_BYTES = 16_384;

interface Exchange {
  readonly generation: GenerationRequest;
  readonly stream: StreamOptions | null;
  readonly format: AnswerFormat;
  readonly reply: FastifyReply;
}

/** Answers to prompts and to conversations, as OpenAI's API has them. */
@Controller('v1')
export class OpenAiController {
  readonly #services: GatewayServices;

  constructor(@Inject(GATEWAY) services: GatewayServices) {
    this.#services = services;
  }

  @Post('completions')
  @HttpCode(200)
  async complete(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { context } = this.#services;
    const parsed = parseCompletionRequest(body, requestId(request.id), context);
    await this.#answer({ ...parsed, reply, format: new CompletionFormat(parsed, context.model, nowSeconds()) });
  }

  @Post('chat/completions')
  @HttpCode(200)
  async chat(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { context } = this.#services;
    const parsed = parseChatRequest(body, requestId(request.id), context);
    await this.#answer({ ...parsed, reply, format: new ChatFormat(parsed, context.model, nowSeconds()) });
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { generation, stream, reply } = exchange;
    const events = this.#services.generation.stream(generation, goneSignal(reply));
    if (stream !== null) return this.#stream(exchange, stream, events);
    const answers = await collectAnswers(events, sequenceCount(generation));
    reply.send(exchange.format.whole(answers, usageOf(generation, answers)));
  }

  /** The first line decides the status: a failure before it is thrown here. From then on lines are made as fast as the client reads them. */
  async #stream({ generation, format, reply }: Exchange, options: StreamOptions, events: ReturnType<GatewayServices['generation']['stream']>): Promise<void> {
    const { clock, log } = this.#services;
    const onFailure = (error: AppError): void => log.warn({ requestId: generation.requestId, code: error.code, error: error.cause }, 'a stream failed');
    const lines = Readable.from(eventStream({ request: generation, events, format, options, clock, onFailure }), { objectMode: false, highWaterMark: STREAM_BYTES });
    await once(lines, 'readable');
    reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' });
    reply.send(lines);
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** Aborts when the client closes the connection before the answer is complete. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort(new AppError('cancelled', 'the client is gone'));
  if (raw.destroyed) abort();
  else raw.once('close', abort);
  return gone.signal;
}
