import { AppError } from '@essaim/core';

/** What `nvidia-smi --query-gpu` tells of one GPU. */
export interface NvidiaGpu {
  /** In the order of PCI bus ids, as CUDA counts them with CUDA_DEVICE_ORDER=PCI_BUS_ID. */
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly pciBusId: string;
  readonly driver: string;
  readonly memoryBytes: number | null;
  /** Such as 9 for 9.0. Null of drivers that do not know the question. */
  readonly computeCapability: number | null;
}

/** Of `nvidia-smi --query-gpu`; what one driver does not know, it answers with a word in brackets. */
export const GPU_FIELDS = ['index', 'name', 'uuid', 'pci.bus_id', 'driver_version', 'memory.total', 'compute_cap'] as const;
const MIB = 2 ** 20;

/** Reads the output of `nvidia-smi --query-gpu=... --format=csv,noheader,nounits`. Fails with `unknown` for anything else. */
export function parseGpus(csv: string): NvidiaGpu[] {
  return lines(csv).map((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    const [index, name, uuid, busId, driver, memory, capability] = cells;
    if (cells.length !== GPU_FIELDS.length || !/^\d+$/.test(index!)) throw new AppError('unknown', `nvidia-smi answered with '${line.slice(0, 80)}' where a GPU was expected`);
    const memoryMib = numberIn(memory!);
    return { index: Number(index), name: name!, uuid: uuid!, pciBusId: normalBusId(busId!), driver: driver!, memoryBytes: memoryMib === null ? null : memoryMib * MIB, computeCapability: numberIn(capability!) };
  });
}

/** nvidia-smi writes the domain with eight digits, everybody else with four. */
export const normalBusId = (text: string): string => text.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '');

/**
 * The GPUs that CUDA shows to a process, in its order: those that CUDA_VISIBLE_DEVICES names, by index or by the beginning of a UUID, up to
 * the first name that is none. @see CUDA C++ Programming Guide, CUDA environment variables
 */
export function visibleGpus(gpus: readonly NvidiaGpu[], variable: string | undefined): readonly NvidiaGpu[] {
  if (variable === undefined) return gpus;
  const named = variable.split(',').map((name) => name.trim()).map((name) => gpus.find(({ index, uuid }) => String(index) === name || (name.startsWith('GPU-') && uuid.startsWith(name))));
  const end = named.indexOf(undefined);
  return named.slice(0, end === -1 ? named.length : end) as NvidiaGpu[];
}

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

const numberIn = (cell: string): number | null => (/^\d+(\.\d+)?$/.test(cell) ? Number(cell) : null);
