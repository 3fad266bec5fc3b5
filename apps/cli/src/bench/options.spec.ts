import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { namesIn, resolveBenchOptions, threadsOf, upOptions } from './options.ts';

/** Of single benchmarks, as commander has them where none are given. */
const DEFAULTS = { dtype: 'int4', experts: 8, device: { kind: 'auto' }, python: 'python3' } as const;

afterEach(() => vi.unstubAllEnvs());

it('gives both sides the same threads where there are cores enough', () => {
  expect(threadsOf(16)).toEqual({ one: 15, three: 5 });
  expect(threadsOf(3)).toEqual({ one: 3, three: 1 });
  expect(threadsOf(2)).toEqual({ one: 2, three: 1 });
  expect(threadsOf(1)).toEqual({ one: 1, three: 1 });
  expect(threadsOf(16, 2)).toEqual({ one: 6, three: 2 });
});

it('measures both models unless one is named, in the state folder', () => {
  const options = resolveBenchOptions('engine', { ...DEFAULTS, rounds: 3, model: 'all', stateDir: '/somewhere' });
  expect(options).toMatchObject({ models: ['built-in', 'synthetic'], folder: '/somewhere/bench', jsonFile: null });
  expect(resolveBenchOptions('engine', { ...DEFAULTS, rounds: 3, model: 'built-in' }).models).toEqual(['built-in']);
});

it('large models belong to one benchmark, and the others to all others', () => {
  expect(resolveBenchOptions('shapes', { ...DEFAULTS, rounds: 1, model: 'all' })).toMatchObject({ models: [], shapes: ['large-3', 'small-4'], dtype: 'int4', experts: 8 });
  expect(resolveBenchOptions('shapes', { ...DEFAULTS, rounds: 1, model: 'small-4' })).toMatchObject({ models: [], shapes: ['small-4'] });
  expect(() => resolveBenchOptions('shapes', { ...DEFAULTS, rounds: 1, model: 'built-in' })).toThrow('the benchmark shapes does not measure built-in: its models are large-3 and small-4');
  expect(() => resolveBenchOptions('engine', { ...DEFAULTS, rounds: 1, model: 'large-3' })).toThrow('the benchmark engine does not measure large-3: its models are built-in and synthetic');
});

it('refuses a JSON file that can never be written before anything is measured', () => {
  expect(() => resolveBenchOptions('engine', { ...DEFAULTS, rounds: 1, model: 'all', json: join(tmpdir(), 'no-such-folder', 'x.json') })).toThrow(/does not exist: create it/);
  expect(() => resolveBenchOptions('engine', { ...DEFAULTS, rounds: 1, model: 'all', json: tmpdir() })).toThrow(/is not a file/);
});

it('its clusters take free ports, and the built-in model at full precision, whatever the environment asks for', () => {
  vi.stubEnv('ESSAIM_DETERMINISTIC', '1');
  expect(upOptions({ workers: 3 })).toMatchObject({ workers: 3, ports: { http: 0, grpc: 0, admin: 0, control: 0 }, model: { id: 'petit', dtype: 'float32', deterministic: false } });
});

it('rows are named, with commas between, and belong to a benchmark', () => {
  expect(namesIn('decode-1, memory')).toEqual(['decode-1', 'memory']);
  expect(resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'synthetic-large', rows: ['decode-8'] })).toMatchObject({ models: ['synthetic-large'], loads: ['decode-8'], forms: ['int4', 'int4-f16', 'f16'], metrics: null });
  expect(resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all', forms: ['f16'] }).forms).toEqual(['f16']);
  expect(() => resolveBenchOptions('peer', { ...DEFAULTS, rounds: 1, model: 'all', rows: ['decode-8'] })).toThrow(/there is no row 'decode-8': the rows are decode-1, decode-4/);
  expect(() => resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all', rows: ['memory'] })).toThrow(/there is no row 'memory': the rows are decode-1, decode-8/);
  expect(() => resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all', forms: ['int3'] })).toThrow("there is no form 'int3': the forms are int4, int4-f16, f16");
  expect(resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all' }).rivals).toEqual(['transformers', 'llama.cpp']);
  expect([['llama.cpp'], ['none']].map((beside) => resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all', beside }).rivals)).toEqual([['llama.cpp'], []]);
  expect(() => resolveBenchOptions('gpu', { ...DEFAULTS, rounds: 1, model: 'all', beside: ['vllm'] })).toThrow("there is no engine 'vllm': the engines are transformers, llama.cpp, none");
});
