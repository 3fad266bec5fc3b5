import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { type TestedDevice } from '@essaim/devices';
import { textReport } from './text-report.ts';

const PROCESSOR: TestedDevice = { provider: 'cpu', index: 0, adapter: 'a processor', kind: 'processor', memoryBytes: 64e9, tensorBytes: null, f16: false, subgroupSize: null, driver: null, pciBusId: null, nvlink: null, fault: null, uploadBytesPerSecond: null, environment: {} };
const CARD: TestedDevice = {
  provider: 'cuda', index: 0, adapter: 'a card', kind: 'gpu', memoryBytes: 80e9, tensorBytes: null, f16: true, subgroupSize: 32, driver: '550.54.15', pciBusId: '0000:18:00.0',
  nvlink: { domain: '0000:18:00.0', peers: ['0000:2a:00.0', '0000:3a:00.0'], bytesPerSecond: 478.1e9 }, fault: null, uploadBytesPerSecond: 25.3e9, environment: {},
};

const shown = (...args: Parameters<typeof textReport>): string[] => stripVTControlCharacters(textReport(...args)).split('\n');

it('shows a row for each device', () => {
  expect(shown({ devices: [PROCESSOR, CARD], unusable: [] })).toEqual([
    '┌────────┬─────────────┬────────┬─────┬──────────┬───────────┬──────────────┬───────────┬───────────────────┐',
    '│ device │ adapter     │ memory │ f16 │ subgroup │ driver    │ PCI bus      │    upload │ NVLink            │',
    '├────────┼─────────────┼────────┼─────┼──────────┼───────────┼──────────────┼───────────┼───────────────────┤',
    '│ cpu    │ a processor │  64 GB │ no  │        - │ -         │ -            │         - │ -                 │',
    '│ cuda:0 │ a card      │  80 GB │ yes │       32 │ 550.54.15 │ 0000:18:00.0 │ 25.3 GB/s │ 2 peers, 478 GB/s │',
    '└────────┴─────────────┴────────┴─────┴──────────┴───────────┴──────────────┴───────────┴───────────────────┘',
  ]);
});

it('says what is not known, and what can\'t be used, each reason once', () => {
  const unknown: TestedDevice = { ...CARD, provider: 'webgpu', memoryBytes: null, f16: null, subgroupSize: null, driver: null, nvlink: null, uploadBytesPerSecond: null, fault: 'the driver did not answer within 60 s' };
  const lines = shown({ devices: [unknown], unusable: [{ provider: 'cuda', reason: 'none is installed' }, { provider: 'tensorrt', reason: 'none is installed' }] });
  expect(lines[3]).toMatch(/│ webgpu:0 │ a card +│ +\? │ \? +│ +\? │ \? +│ 0000:18:00\.0 │ +- │ - +│/);
  expect(lines.slice(5)).toEqual(['webgpu:0 can\'t be used: the driver did not answer within 60 s', 'no cuda and no tensorrt: none is installed']);
});

it('says what computes on the processor after all', () => {
  expect(shown({ devices: [{ ...CARD, provider: 'webgpu', kind: 'software', nvlink: null }], unusable: [] }).at(-1)).toBe('webgpu:0 computes on the processor: for tests alone');
});
