import { join } from 'node:path';
import { type UpOptions } from './options.ts';
import { type StateFolder } from './state-folder.ts';
import { workerMemoryBytes } from './worker-memory.ts';

/** The variables through which every process of the cluster learns what to serve and where to write. */
export function clusterEnvironment({ model, workers, replicas }: UpOptions, folder: StateFolder): Record<string, string> {
  return {
    ESSAIM_MODEL: model.directory,
    ESSAIM_MODEL_ID: model.id,
    ESSAIM_DTYPE: model.dtype,
    ESSAIM_DETERMINISTIC: model.deterministic ? '1' : '0',
    ESSAIM_EXPECTED_WORKERS: String(workers),
    ESSAIM_REPLICAS: String(replicas),
    ESSAIM_STATE_DIR: folder.path,
    ESSAIM_TLS_DIR: folder.tls,
    ...driverCaches(folder),
  };
}

/** Where the drivers of Mesa and NVIDIA keep what they compiled, which else is the home folder; what the user says of it holds. */
function driverCaches({ path }: StateFolder): Record<string, string> {
  const unsaid = ['MESA_SHADER_CACHE_DIR', '__GL_SHADER_DISK_CACHE_PATH'].filter((name) => process.env[name] === undefined);
  return Object.fromEntries(unsaid.map((name) => [name, join(path, 'cache')]));
}

/** Where the control plane and the gateway listen. */
export function serverEnvironment({ host, ports }: UpOptions): Record<string, string> {
  return {
    ESSAIM_HOST: host,
    ESSAIM_HTTP_PORT: String(ports.http),
    ESSAIM_GRPC_PORT: String(ports.grpc),
    ESSAIM_ADMIN_PORT: String(ports.admin),
    ESSAIM_CONTROL_PORT: String(ports.control),
  };
}

/** Workers of one machine talk over loopback, each on a port of its own, and share its memory. */
export function workerEnvironment(id: string, { threadsPerWorker, kvMemoryMib, kvMemoryShrinks, kvDtype, computeDtype, wireDtype, runningSequences, draftTokens, workers, devices }: UpOptions): Record<string, string> {
  const device = devices[Number(id.slice(1)) - 1]!;
  return {
    ESSAIM_WORKER_ID: id,
    ESSAIM_DEVICE: device.name,
    ESSAIM_COMPUTE_DTYPE: computeDtype,
    ESSAIM_WORKER_HOST: '127.0.0.1',
    ESSAIM_WORKER_PORT: '0',
    ESSAIM_THREADS_PER_WORKER: String(threadsPerWorker),
    ESSAIM_WIRE_DTYPE: wireDtype,
    ESSAIM_RUNNING_SEQUENCES: String(runningSequences),
    ESSAIM_SPECULATE: String(draftTokens),
    ESSAIM_WORKER_MEMORY_BYTES: String(device.memoryBytes ?? workerMemoryBytes(workers)),
    ESSAIM_KV_MEMORY: String(kvMemoryMib),
    ESSAIM_KV_MEMORY_SHRINKS: kvMemoryShrinks ? '1' : '0',
    ESSAIM_KV_DTYPE: kvDtype,
  };
}
