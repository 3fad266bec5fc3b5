import { type Family } from './family.ts';
import { mistral } from './mistral/mistral.ts';
import { mixtral } from './mixtral/mixtral.ts';

/** Every architecture that can be read; one line a family. */
export const families: readonly Family[] = [mixtral, mistral];
