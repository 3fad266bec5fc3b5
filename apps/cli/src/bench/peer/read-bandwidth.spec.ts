import { expect, it } from 'vitest';
import { measureReadBandwidth } from './read-bandwidth.ts';

it('reads with several threads and ends them', async () => {
  const bytesPerSecond = await measureReadBandwidth(2, 1 << 20);
  expect(bytesPerSecond).toBeGreaterThan(0);
  expect(bytesPerSecond).toBeLessThan(Infinity);
});
