import { describe, expect, it } from 'vitest';
import { type Adapter } from './vulkan.ts';
import { inWebgpuOrder, isSameAdapter, pinning } from './webgpu-order.ts';

const adapter = (changes: Partial<Adapter>): Adapter => ({ name: 'a card', type: 'discrete', vendorId: 0x10de, deviceId: 0x26b9, memoryBytes: 1, tensorBytes: 1, f16: true, subgroupSize: 32, driver: 'a driver', pciBusId: '0000:3b:00.0', ...changes });

it('discrete cards come first, then what shares memory, then what computes on the processor, each in the order of Vulkan\'s loader', () => {
  const types = ['software', 'integrated', 'discrete', 'other', 'discrete', 'virtual'] as const;
  const ordered = inWebgpuOrder(types.map((type, nth) => adapter({ type, name: `${nth}` })));
  expect(ordered.map(({ name }) => name)).toEqual(['2', '4', '1', '0', '3', '5']);
});

describe('a process is shown one card', () => {
  it('by its place on the bus', () => {
    expect(pinning(adapter({}))).toEqual({ DRI_PRIME: 'pci-0000_3b_00_0', MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: '1' });
  });

  it('by its kind where it has no place', () => {
    expect(pinning(adapter({ pciBusId: null }))).toEqual({ MESA_VK_DEVICE_SELECT: '10de:26b9', MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: '1' });
  });
});

it('two cards of a kind are told apart by their place', () => {
  expect(isSameAdapter(adapter({}), adapter({ name: 'as another driver calls it' }))).toBe(true);
  expect(isSameAdapter(adapter({}), adapter({ pciBusId: '0000:5e:00.0' }))).toBe(false);
});
