import { fileURLToPath } from 'node:url';
import { loadServedModel } from '../src/model/served-model.ts';

/** The built-in one, without its weights. */
export const model = await loadServedModel(fileURLToPath(new URL('../../../deploy/models/petit', import.meta.url)), { id: 'petit', now: new Date() });
