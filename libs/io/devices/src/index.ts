export { allDevices, chooseDevice, type ChosenDevice } from './choose-device.ts';
export { askProbe } from './ask-probe.ts';
export { type DeviceChoice, deviceName, type NamedDevice, parseDeviceChoice, parseDevices } from './device-choice.ts';
export { type HostDevice, type Nvlink, type Provider, PROVIDERS, type Unusable } from './device.ts';
export { type HostDevices, listDevices, type TestedDevice } from './list-devices.ts';
export { CARD_SIZES, type DeviceRates, SOFTWARE_SIZES } from './device-rates.ts';
export { type NvidiaGpu } from './nvidia/gpus.ts';
export { listNvidiaGpus } from './nvidia/list-gpus.ts';
export { runProbe } from './probe.ts';
