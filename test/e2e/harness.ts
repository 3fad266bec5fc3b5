import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** The real thing: the bundled command line in a process of its own, on free ports, in a state folder of its own. */
const ROOT = join(import.meta.dirname, '..', '..');
export const CLI = join(ROOT, 'dist', 'cli', 'main.js');
export const BUF = join(ROOT, 'node_modules', '.bin', 'buf');
export const PETIT = join(ROOT, 'deploy', 'models', 'petit');
export const FREE_PORTS = ['--http-port', '0', '--grpc-port', '0', '--admin-port', '0', '--control-port', '0'];
const READY_MS = 90_000;
/** Longest run of a command that ends by itself; then it is asked to stop. */
const RUN_MS = 90_000;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Ready {
  readonly model: { readonly id: string };
  /** `http` and `admin` are base URLs, `grpc` and `control` are host:port. */
  readonly addresses: { readonly http: string; readonly grpc: string; readonly admin: string; readonly control: string };
  readonly workers: readonly { readonly id: string; readonly pid: number; readonly experts: number }[];
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

export interface RunningCluster extends AsyncDisposable {
  readonly ready: Ready;
  readonly pid: number;
  readonly stateDir: string;
  /** What it said on stderr and which events it wrote since it was ready. */
  readonly events: readonly { readonly kind: string; readonly sentence?: string }[];
  /** How the command line ended, whenever it does. */
  readonly ended: Promise<Result>;
  stop(signal?: NodeJS.Signals): Promise<Result>;
}

export interface WorkerState {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  readonly hosted: readonly unknown[];
  readonly runningSequences: number;
  readonly waitingSequences: number;
  readonly kvUsedBytes: number;
}

/** What the admin API tells of the workers, lost ones included. */
export async function workersOf({ ready }: RunningCluster): Promise<readonly WorkerState[]> {
  const { workers } = (await (await fetch(`${ready.addresses.admin}/api/v1/workers`)).json()) as { readonly workers: readonly WorkerState[] };
  return workers;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'essaim-e2e-'));
}

/** Runs any program to its end, within a bounded time. */
export async function runToEnd(command: string, args: readonly string[], { env = {}, input = '', cwd = process.cwd() }: { env?: Record<string, string | undefined>; input?: string; cwd?: string } = {}): Promise<Result> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'], timeout: RUN_MS });
  child.stdin.end(input);
  return ended(child);
}

/** Runs the command line to its end. */
export function essaim(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return runToEnd(process.execPath, [CLI, ...args], { env });
}

/** Brings a cluster up and resolves once it generated a token. Always end it, for example with `await using`. */
export async function startCluster(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<RunningCluster> {
  const stateDir = temporaryFolder();
  const child = spawn(process.execPath, [CLI, 'up', '--json', '--state-dir', stateDir, ...FREE_PORTS, ...flags], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const result = ended(child);
  const events: { kind: string; sentence?: string }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { kind: string };
    if (event.kind === 'ready') resolve(event as unknown as Ready);
    events.push(event);
  });
  void result.then(({ code, stderr }) => reject(new Error(`the cluster ended with ${code}: ${stderr}`)));
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Result> => {
    child.kill(signal);
    return result;
  };
  const dispose = async (): Promise<void> => {
    await stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
  const timer = setTimeout(() => child.kill('SIGTERM'), READY_MS);
  try {
    return { ready: await promise, pid: child.pid!, stateDir, events, ended: result, stop, [Symbol.asyncDispose]: dispose };
  } finally {
    clearTimeout(timer);
  }
}

/** Ids of all live processes that were started for that state folder, found by their environment or command line (Linux). */
export function processesOf(stateDir: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).map(Number).filter((pid) => {
    try {
      return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(stateDir));
    } catch {
      return false;
    }
  });
}

/** Polls until it is true; fails with what was waited for. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  while (!(await condition())) {
    if (deadline.aborted) throw new Error(`not so after ${deadlineMs} ms: ${what}`);
    await sleep(50);
  }
}

async function ended(child: ChildProcess): Promise<Result> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}
