import { type Adapter } from './vulkan.ts';

/** Best first, as Dawn sorts adapters when it is asked for performance, which ONNX Runtime does. */
const RANKS: Readonly<Record<Adapter['type'], number>> = { discrete: 0, integrated: 1, software: 2, virtual: 3, other: 3 };

/** ONNX Runtime takes the first of these and can't be told another: with what its Vulkan loader offers, `webgpu:0`. */
export const inWebgpuOrder = (adapters: readonly Adapter[]): readonly Adapter[] => adapters.toSorted((a, b) => RANKS[a.type] - RANKS[b.type]);

/**
 * Variables under which a process is offered this adapter alone, where Mesa's layer VK_LAYER_MESA_device_select is installed, which works in front of every
 * vendor's driver. Whether they worked is seen by listing the adapters under them. @see https://docs.mesa3d.org/envvars.html
 */
export function pinning({ pciBusId, vendorId, deviceId }: Adapter): Readonly<Record<string, string>> {
  const which = pciBusId === null
    ? { MESA_VK_DEVICE_SELECT: `${vendorId.toString(16)}:${deviceId.toString(16)}` }
    : { DRI_PRIME: `pci-${pciBusId.replace(/[:.]/g, '_')}` };
  return { ...which, MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: '1' };
}

/** Two descriptions of the same card. Without bus ids, cards of one kind can't be told apart. */
export const isSameAdapter = (a: Adapter, b: Adapter): boolean => a.pciBusId === b.pciBusId && a.vendorId === b.vendorId && a.deviceId === b.deviceId;
