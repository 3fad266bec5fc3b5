import { expect, it } from 'vitest';
import { SYNTHETIC_MIXTRAL } from '../synthetic/model.ts';
import { rooflineOf } from './roofline.ts';

it('counts the weights that one token is multiplied with at 18 bytes per 32', () => {
  const attention = 1024 * 64 * (16 + 4 + 4 + 16);
  const experts = 2 * 3 * 1024 * 3584;
  const weights = 16 * (attention + experts) + 32_000 * 1024;
  const router = 16 * 8 * 1024 * 4;
  const roofline = rooflineOf(SYNTHETIC_MIXTRAL, 30e9);
  expect(roofline.bytesPerToken).toBe((weights / 32) * 18 + router);
  expect(roofline.tokensPerSecond * roofline.bytesPerToken).toBeCloseTo(30e9);
});
