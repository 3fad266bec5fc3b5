import { runProbe } from '../src/index.ts';

await runProbe();
