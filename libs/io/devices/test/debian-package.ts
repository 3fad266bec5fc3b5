import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache');
const PATIENCE_MS = 60_000;

export interface DebianPackage {
  readonly name: string;
  /** What is wanted of it, as paths from the root of a file system. */
  readonly files: readonly string[];
  /** Whether to ask for the version that was built for this release of Debian later. */
  readonly isBackport: boolean;
}

/**
 * The folder in node_modules/.cache that files of a package lie below, as they would below a root, fetched from Debian where it is not there yet: nothing is installed, and nothing but these tests
 * uses them. Null on another system and where nothing can be fetched.
 */
export function fetchedPackage({ name, files, isBackport }: DebianPackage): string | null {
  const kept = join(CACHE, name);
  const isComplete = (folder: string): boolean => files.every((file) => existsSync(join(folder, file)));
  if (isComplete(kept)) return kept;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(`${kept}-`);
  const run = (command: string, args: readonly string[]): string => execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: PATIENCE_MS });
  try {
    const options = isBackport ? backports(folder, run) : [];
    run('apt-get', [...options, 'download', name]);
    run('sh', ['-c', `mkdir root && dpkg-deb --fsys-tarfile ${name}_*.deb | tar -x -C root ${files.map((file) => `./${file}`).join(' ')}`]);
    // Specs that fetch at the same time do so each for itself, and the first one's is kept.
    if (!existsSync(kept)) renameSync(join(folder, 'root'), kept);
  } catch {
    // Another system, or no network.
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return isComplete(kept) ? kept : null;
}

/** Options under which apt-get knows this release's backports alone, from where the release itself comes, with an index of its own. */
function backports(folder: string, run: (command: string, args: readonly string[]) => string): readonly string[] {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))![1]!;
  const site = run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)']).split('\n').find((line) => line.endsWith(` ${codename}`))!.split(' ')[0]!;
  const [list, index, cache] = ['backports.list', 'index', 'cache'].map((part) => join(folder, part)) as [string, string, string];
  writeFileSync(list, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${site} ${codename}-backports main\n`);
  for (const each of [index, cache]) mkdirSync(join(each, 'partial'), { recursive: true });
  const options = ['-o', `Dir::Etc::SourceList=${list}`, '-o', 'Dir::Etc::SourceParts=/dev/null', '-o', `Dir::State::Lists=${index}`, '-o', `Dir::Cache=${cache}`];
  run('apt-get', [...options, 'update']);
  return options;
}
