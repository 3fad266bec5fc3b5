import { z } from 'zod';

/** V8's format: a sample for each `timeDeltas` microseconds, which names the node of the call tree that ran. */
const profileSchema = z.object({
  nodes: z.array(z.object({ id: z.int(), callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }) })),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});

export interface FunctionTime {
  /** As in `run worker/main.js:120`; what is not JavaScript is in parentheses. */
  readonly name: string;
  /** In the function itself, without what it calls. */
  readonly ms: number;
}

/** A function's own time over all places that it was called from, the longest first. Fails on what is no profile. */
export function ownTimes(json: unknown): FunctionTime[] {
  const { nodes, samples, timeDeltas } = profileSchema.parse(json);
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const ms = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '(unknown)';
    ms.set(name, (ms.get(name) ?? 0) + timeDeltas[index]! / 1_000);
  });
  return Array.from(ms, ([name, time]) => ({ name, ms: time })).sort((one, other) => other.ms - one.ms);
}

/** The last two parts of a path tell enough. Lines count from 0 in a profile and from 1 everywhere else. */
function nameOf({ functionName, url, lineNumber }: { readonly functionName: string; readonly url: string; readonly lineNumber: number }): string {
  const name = functionName || '(anonymous)';
  return url === '' ? name : `${name} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}
