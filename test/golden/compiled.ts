import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for compiled graphs that is gone after the tests that share it. */
export function temporaryCache(): { readonly cache: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'essaim-compiled-'));
  return { cache: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
