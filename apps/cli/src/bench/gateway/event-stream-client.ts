import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { AppError, assert } from '@essaim/core';

/** One POST whose answer is a stream of events. */
export interface StreamQuestion {
  /** http://host:port and path. */
  readonly url: string;
  readonly body: object;
}

export interface StreamedAnswer {
  /** From sending the request until the first event arrived. */
  readonly firstEventMs: number;
  /** As the last chunk says. */
  readonly completionTokens: number;
}

/** A client that does as little as one can: it must not be what a benchmark measures. Connections stay open between answers. */
export class EventStreamClient {
  readonly #agent = new Agent({ keepAlive: true });

  close(): void {
    this.#agent.destroy();
  }

  /** Reads an answer to its end. Fails with `unavailable` unless it is complete. */
  async read(question: StreamQuestion, signal: AbortSignal): Promise<StreamedAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<StreamedAnswer>();
    const askedMs = performance.now();
    const sent = this.#send(question, signal);
    sent.once('error', reject);
    sent.once('response', (response: IncomingMessage) => {
      const firstEventMs = performance.now() - askedMs;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).once('error', reject);
      response.once('end', () => (isComplete(response, text) ? resolve({ firstEventMs, completionTokens: completionTokensOf(text) }) : reject(incomplete(question, response))));
    });
    return promise;
  }

  /** Opens a stream that nothing comes from. It ends with the signal. */
  open(question: StreamQuestion, signal: AbortSignal): void {
    this.#send(question, signal).on('error', () => undefined);
  }

  #send({ url, body }: StreamQuestion, signal: AbortSignal): ClientRequest {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return request(url, { agent: this.#agent, method: 'POST', headers, signal }).end(text);
  }
}

const isComplete = ({ statusCode }: IncomingMessage, text: string): boolean => statusCode === 200 && text.endsWith('data: [DONE]\n\n');

const incomplete = ({ url }: StreamQuestion, { statusCode }: IncomingMessage): AppError => new AppError('unavailable', `${url} gave no complete stream, but status ${statusCode}`);

/** Of the chunk with usage, the last one that has tokens to tell. */
function completionTokensOf(text: string): number {
  const usage = /"completion_tokens":(\d+)[^\n]*\n\ndata: \[DONE\]\n\n$/.exec(text);
  assert(usage, 'a stream that was asked for its usage tells it');
  return Number(usage[1]);
}
