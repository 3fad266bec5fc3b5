import { expect, it } from 'vitest';
import { formatBytes } from './index.ts';

it('writes bytes for people', () => {
  expect([24e6, 1.5e9, 93.4e9].map(formatBytes)).toEqual(['24 MB', '1.5 GB', '93 GB']);
});
