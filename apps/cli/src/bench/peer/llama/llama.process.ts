/** The entry of the peer's process: llama.cpp and nothing of Essaim's engine. It ends with the process that started it. */
import { assert } from '@essaim/core';
import { LlamaHost } from './llama-host.ts';
import { type LlamaLoading, type LlamaReply, type LlamaRequest } from './protocol.ts';

const [, , loading] = process.argv;
assert(loading !== undefined, 'the peer is told what to load');
const host = LlamaHost.load(JSON.parse(loading) as LlamaLoading);
host.catch(() => undefined);

async function replyTo(request: LlamaRequest): Promise<LlamaReply> {
  try {
    return await (await host).answer(request);
  } catch (thrown) {
    return { kind: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

process.on('message', async (request: LlamaRequest) => process.send?.(await replyTo(request)));
process.on('disconnect', () => process.exit());
