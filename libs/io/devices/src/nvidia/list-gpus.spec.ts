import { expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { GPUS_L40S, TOPOLOGY_BRIDGE } from '../../test/recorded.ts';
import { listNvidiaGpus } from './list-gpus.ts';

/** Answers by the first word of what is asked. */
const answering = (answers: Readonly<Record<string, string>>) => async ([first]: readonly string[]): Promise<string> => {
  const answer = answers[first!.split('=')[0]!];
  if (answer === undefined) throw new AppError('unavailable', `nvidia-smi says: no ${first!}`);
  return answer;
};

it('lists GPUs with their links', async () => {
  const host = await listNvidiaGpus(answering({ '--query-gpu': GPUS_L40S, 'topo': TOPOLOGY_BRIDGE, 'nvlink': '' }));
  expect(host).toMatchObject({ kind: 'found', gpus: [{ name: 'NVIDIA L40S' }, { index: 1 }] });
  expect(host.kind === 'found' && host.nvlinks.get(1)).toEqual({ domain: '0000:01:00.0', peers: ['0000:01:00.0'], bytesPerSecond: null });
});

it('lists GPUs where nothing else is answered', async () => {
  expect(await listNvidiaGpus(answering({ '--query-gpu': GPUS_L40S }))).toMatchObject({ kind: 'found', gpus: [{}, {}], nvlinks: new Map() });
});

it.each([
  ['an error', {}, /^nvidia-smi says: no --query-gpu/], ['no line', { '--query-gpu': '' }, /lists no GPU/], ['what nobody expects', { '--query-gpu': '?' }, /answered with '\?'/],
] as const)('says why it lists none after %s', async (_, answers, reason) => {
  expect(await listNvidiaGpus(answering(answers))).toEqual({ kind: 'none', reason: expect.stringMatching(reason) });
});
