import { expect, it } from 'vitest';
import { SYNTHETIC_MIXTRAL } from '../synthetic/model.ts';
import { rooflinesOf } from './roofline.ts';

it('counts the weights that one token is multiplied with, at 20 and at 18 bytes per 32', () => {
  const attention = 1024 * 64 * (16 + 4 + 4 + 16);
  const experts = 2 * 3 * 1024 * 3584;
  const weights = 16 * (attention + experts) + 32_000 * 1024;
  const router = 16 * 8 * 1024 * 4;
  const { ours, peer } = rooflinesOf(SYNTHETIC_MIXTRAL, 30e9);
  expect(ours.bytesPerToken).toBe((weights / 32) * 20 + router);
  expect(peer.bytesPerToken).toBe((weights / 32) * 18 + router);
  expect(ours.tokensPerSecond * ours.bytesPerToken).toBeCloseTo(30e9);
});
