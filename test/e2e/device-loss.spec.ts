import { expect, it } from 'vitest';
import { faultyAdapter } from '../../libs/io/devices/test/faulty-adapter.ts';
import { eventually, startCluster, workersOf } from './harness.ts';

it('a worker whose device is lost says so, starts again, and answers as before (skipped without SwiftShader and a C compiler)', async ({ skip }) => {
  using adapter = faultyAdapter();
  if (adapter === null) return skip();
  await using cluster = await startCluster(['--workers', '1', '--device', 'webgpu'], adapter.environment);
  const answer = async (): Promise<{ readonly status: number; readonly text: string }> => {
    const response = await fetch(`${cluster.ready.addresses.http}/v1/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: cluster.ready.model.id, prompt: 'Il était une fois', max_tokens: 4, temperature: 0 }),
    });
    const { choices } = (await response.json()) as { readonly choices?: readonly { readonly text: string }[] };
    return { status: response.status, text: choices?.[0]?.text ?? '' };
  };
  const before = await answer();
  expect(before).toMatchObject({ status: 200 });

  adapter.lose();
  const during = answer();
  await eventually('the worker starts again', () => cluster.events.some(({ sentence }) => /^worker w1 \(pid \d+\) starts again: the device webgpu was lost/.test(sentence ?? '')));
  // There is no other worker to go on with it.
  expect(await during).toMatchObject({ status: 503 });
  await eventually('the worker is back', async () => (await workersOf(cluster)).some(({ state }) => state === 'ready'));
  expect(await answer()).toEqual(before);
});
