export { deviceName, type HostDevice, type Nvlink, type Provider, PROVIDERS, type Unusable } from './device.ts';
export { type HostDevices, listDevices, type TestedDevice } from './list-devices.ts';
export { runProbe } from './probe.ts';
