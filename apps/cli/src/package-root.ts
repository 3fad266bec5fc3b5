import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from '@essaim/core';

/** The folder that holds Essaim's own package.json, whatever the current folder is and whether this runs from source or from dist. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!isOurs(join(folder, 'package.json'))) {
    assert(dirname(folder) !== folder, 'the command line lies inside its own package');
    folder = dirname(folder);
  }
  return folder;
}

function isOurs(file: string): boolean {
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'essaim';
}
