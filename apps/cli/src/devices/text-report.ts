import { styleText } from 'node:util';
import Table from 'cli-table3';
import { deviceName, type HostDevices, type Nvlink, type TestedDevice } from '@essaim/devices';
import { formatBytes } from '@essaim/placement';

const HEAD = ['device', 'adapter', 'memory', 'f16', 'subgroup', 'driver', 'PCI bus', 'upload', 'NVLink'];
const UNKNOWN = '?';
const NONE = '-';

/** A table of what there is, then a line for each thing that can't be used, and why. */
export function textReport({ devices, unusable }: HostDevices): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true }, colAligns: ['left', 'left', 'right', 'left', 'right', 'left', 'left', 'right', 'left'] });
  for (const device of devices) table.push(cellsOf(device));
  const faults = devices.flatMap((device) => (device.fault === null ? [] : [`${deviceName(device)} can't be used: ${device.fault}`]));
  const absent = [...new Set(unusable.map(({ reason }) => reason))].map((reason) => `no ${unusable.filter((each) => each.reason === reason).map(({ provider }) => provider).join(' and no ')}: ${reason}`);
  const software = devices.filter(({ kind, fault }) => kind === 'software' && fault === null).map((device) => `${deviceName(device)} computes on the processor: for tests alone`);
  const lines = [...faults, ...absent, ...software].map((line) => styleText('yellow', line, { stream: process.stdout }));
  return [table.toString(), ...lines].join('\n');
}

function cellsOf(device: TestedDevice): string[] {
  const { adapter, memoryBytes, f16, subgroupSize, driver, pciBusId, nvlink, provider, uploadBytesPerSecond } = device;
  const isProcessor = provider === 'cpu';
  return [
    deviceName(device), adapter, memoryBytes === null ? UNKNOWN : formatBytes(memoryBytes), f16 === null ? UNKNOWN : f16 ? 'yes' : 'no',
    subgroupSize === null ? (isProcessor ? NONE : UNKNOWN) : `${subgroupSize}`, driver ?? (isProcessor ? NONE : UNKNOWN), pciBusId ?? NONE, uploadBytesPerSecond === null ? NONE : `${(uploadBytesPerSecond / 1e9).toFixed(1)} GB/s`, nvlinkCell(nvlink),
  ];
}

function nvlinkCell(nvlink: Nvlink | null): string {
  if (nvlink === null) return NONE;
  const speed = nvlink.bytesPerSecond === null ? '' : `, ${Math.round(nvlink.bytesPerSecond / 1e9)} GB/s`;
  return `${nvlink.peers.length} ${nvlink.peers.length === 1 ? 'peer' : 'peers'}${speed}`;
}
