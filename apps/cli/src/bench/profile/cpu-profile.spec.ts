import { expect, it } from 'vitest';
import { ownTimes } from './cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1): object => ({ functionName, url, lineNumber });

it('a function has the time of its own samples, wherever it was called from, the longest first', () => {
  const profile = {
    nodes: [{ id: 1, callFrame: frame('(idle)') }, { id: 2, callFrame: frame('run', 'file:///a/b/worker/main.js', 9) }, { id: 3, callFrame: frame('run', 'file:///a/b/worker/main.js', 9) }, { id: 4, callFrame: frame('', 'node:net', 0) }],
    samples: [1, 2, 3, 4], timeDeltas: [1_000, 2_000, 3_000, 500],
  };
  expect(ownTimes(profile)).toEqual([{ name: 'run worker/main.js:10', ms: 5 }, { name: '(idle)', ms: 1 }, { name: '(anonymous) node:net:1', ms: 0.5 }]);
});

it('what is no profile is refused', () => {
  expect(() => ownTimes({ nodes: [] })).toThrow();
});
