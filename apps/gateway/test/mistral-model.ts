import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadServedModel, type ServedModel } from '../src/model/served-model.ts';

const repositoryFile = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

interface Tekken {
  readonly config: object;
}

/** The built-in model's configuration, with a vocabulary of Mistral's that knows calls; a tekken.json also as one of another version. */
export async function loadMistralModel(tokenizerFile = 'tekken.json', version?: string): Promise<ServedModel> {
  const folder = mkdtempSync(join(tmpdir(), 'essaim-tools-'));
  const file = repositoryFile(`test/golden/tokenizers/${tokenizerFile}`);
  try {
    for (const name of ['config.json', 'generation_config.json']) copyFileSync(repositoryFile(`deploy/models/petit/${name}`), join(folder, name));
    if (version === undefined) copyFileSync(file, join(folder, tokenizerFile));
    else {
      const tekken = JSON.parse(readFileSync(file, 'utf8')) as Tekken;
      writeFileSync(join(folder, tokenizerFile), JSON.stringify({ ...tekken, config: { ...tekken.config, version } }));
    }
    return await loadServedModel(folder, { id: 'petit', now: new Date() });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
