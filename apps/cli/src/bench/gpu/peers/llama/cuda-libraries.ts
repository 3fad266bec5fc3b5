import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 30_000;

/** NVIDIA's packages for Python, which torch's build for CUDA brings along, lie in one namespace. */
const LIST_FOLDERS = `
import glob, importlib.util, json
spec = importlib.util.find_spec('nvidia')
print(json.dumps([folder for root in (spec.submodule_search_locations if spec else []) for folder in glob.glob(root + '/*/lib')]))
`;

/** Variables under which a process also finds CUDA's runtime and cuBLAS where only this Python has them, after those of the system; none where it has none. */
export async function cudaLibraries(python: string): Promise<Readonly<Record<string, string>>> {
  if (process.platform !== 'linux') return {};
  const folders = await promisify(execFile)(python, ['-c', LIST_FOLDERS], { timeout: TIMEOUT_MS }).then(({ stdout }) => JSON.parse(stdout) as string[], () => []);
  const own = process.env['LD_LIBRARY_PATH'];
  return folders.length === 0 ? {} : { LD_LIBRARY_PATH: [...(own ? [own] : []), ...folders].join(':') };
}
