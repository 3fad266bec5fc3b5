import { describe, expect, it } from 'vitest';
import { GPUS_L40S } from '../../test/recorded.ts';
import { normalBusId, parseGpus, visibleGpus } from './gpus.ts';

describe('the GPUs that nvidia-smi lists', () => {
  it('are read with their memory in bytes and bus ids as everybody else writes them', () => {
    const [first, second, ...others] = parseGpus(GPUS_L40S);
    expect(first).toEqual({ index: 0, name: 'NVIDIA L40S', uuid: 'GPU-0a', pciBusId: '0000:01:00.0', driver: '595.71.05', memoryBytes: 46_068 * 2 ** 20, computeCapability: 8.9 });
    expect(second).toMatchObject({ index: 1, pciBusId: '0000:91:00.0' });
    expect(others).toEqual([]);
  });

  it('may not tell all that is asked', () => {
    expect(parseGpus('0, NVIDIA GB10, GPU-0a, 0000000F:01:00.0, 580.95.05, [N/A], [Not Supported]\n')).toEqual([
      { index: 0, name: 'NVIDIA GB10', uuid: 'GPU-0a', pciBusId: '000f:01:00.0', driver: '580.95.05', memoryBytes: null, computeCapability: null },
    ]);
  });

  it('are none where it lists none', () => expect(parseGpus('\n')).toEqual([]));

  it('are not guessed from anything else', () => {
    expect(() => parseGpus('No devices were found\n')).toThrow(/nvidia-smi answered with 'No devices were found' where a GPU was expected/);
  });
});

it.each([['00000000:3B:00.0', '0000:3b:00.0'], ['0000:3B:00.0', '0000:3b:00.0'], ['00000001:00:00.0', '0001:00:00.0']])('the bus id %s is %s', (written, normal) => {
  expect(normalBusId(written)).toBe(normal);
});

describe('the GPUs that CUDA shows to a process', () => {
  const gpus = parseGpus(GPUS_L40S);

  it.each([
    [undefined, [0, 1]], ['1', [1]], ['1,0', [1, 0]], [' 1 , 0 ', [1, 0]], ['GPU-1', [1]], ['GPU-1b,0', [1, 0]], ['0,7,1', [0]], ['-1', []], ['', []],
  ])('with CUDA_VISIBLE_DEVICES %j are %j', (variable, indices) => {
    expect(visibleGpus(gpus, variable).map(({ index }) => index)).toEqual(indices);
  });
});
