import { expect, it } from 'vitest';

it('passes', () => undefined);
it('fails', () => expect(1).toBe(2));
it.skip('is skipped', () => undefined);
it.todo('is to be written');
