import { type TestedDevice } from '@essaim/devices';
import { type Rival } from '../rival.ts';
import { transformersContender } from './contender.ts';
import { type TransformersDescription } from './protocol.ts';
import { TransformersProcess } from './transformers-process.ts';

export interface TransformersOptions {
  readonly device: TestedDevice;
  /** With torch and transformers: a command of the path, or a file. */
  readonly python: string;
  readonly logFile: string;
}

/** Hugging Face transformers, in float16 whatever form Essaim has: it holds 4-bit weights only as other libraries quantise them. */
export function transformersRival({ device: { pciBusId, kind }, python, logFile }: TransformersOptions): Rival {
  return {
    name: 'transformers',
    async start({ ref }, _form, stop) {
      const process = new TransformersProcess(python, { folder: ref.directory, pciBusId, onProcessor: kind === 'software' }, logFile);
      try {
        const about = aboutOf(await process.ask<'describe'>({ kind: 'describe' }, stop));
        return { contender: transformersContender(process), about, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
      } catch (thrown) {
        await process[Symbol.asyncDispose]();
        throw thrown;
      }
    },
  };
}

const aboutOf = ({ transformers, torch, dtype, device, attention, experts }: TransformersDescription): string =>
  `transformers ${transformers} with torch ${torch}, ${dtype} on ${device}, attention ${attention ?? 'eager'}, experts ${experts ?? 'eager'}`;
