export { compileIntoCache, type CompileProgress } from './compile.ts';
export { type Device, deviceName, type Provider } from './device.ts';
export { DeviceLost } from './device-error.ts';
export { DeviceModel, type DeviceModelOptions } from './device-model.ts';
export { deviceNeeds, type DeviceRoom } from './device-room.ts';
export { GraphCache } from './graph-cache.ts';
export { type PieceFile } from './piece-file.ts';
