import { type Architecture } from './architecture.ts';
import { deepseekV3 } from './deepseek-v3.ts';
import { ministral3 } from './ministral3.ts';
import { mistral } from './mistral.ts';
import { mistral4 } from './mistral4.ts';
import { mixtral } from './mixtral.ts';

/** Every architecture whose config.json can be read; one line each. */
export const architectures: readonly Architecture[] = [mixtral, mistral, ministral3, mistral4, deepseekV3];
