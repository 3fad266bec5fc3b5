import { type Kernels } from './kernels.ts';

/** Whole vectors and a rest. */
const COUNT = 43;
const AT = { a: 16_384, b: 32_768, out: 49_152, cos: 65_536, sin: 81_920 };

/** Whether the kernels between the linear ones give known answers, exact in float32 but for the one of exp. */
export function computesElementsRight(kernels: Kernels, memory: WebAssembly.Memory): boolean {
  const floats = (at: number, value: (i: number) => number, count = COUNT): Float32Array => {
    const array = new Float32Array(memory.buffer, at, count);
    return array.set(Array.from({ length: count }, (_, i) => value(i))), array;
  };
  const b = floats(AT.b, (i) => i - 20);
  const out = (expected: (i: number) => number, isRight: (value: number, expected: number) => boolean = Object.is): boolean =>
    new Float32Array(memory.buffer, AT.out, COUNT).every((value, i) => isRight(value, expected(i)));

  floats(AT.a, (i) => (i % 3 === 0 ? -4 : 4));
  kernels.rmsNorm(AT.a, AT.b, 0, AT.out, 1, COUNT, COUNT, COUNT);
  if (!out((i) => (i % 3 === 0 ? -b[i]! : b[i]!))) return false;
  kernels.add(AT.a, AT.b, AT.out, COUNT);
  if (!out((i) => (i % 3 === 0 ? -4 : 4) + b[i]!)) return false;
  kernels.addScaled(AT.out, AT.b, 0.5, COUNT);
  if (!out((i) => (i % 3 === 0 ? -4 : 4) + 1.5 * b[i]!)) return false;

  const gate = floats(AT.a, (i) => 4 * i - 86);
  kernels.swiglu(AT.a, AT.b, AT.out, 1, COUNT, COUNT, COUNT, COUNT);
  const gated = (i: number): number => (gate[i]! / (1 + Math.exp(-gate[i]!))) * b[i]!;
  return out(gated, (value, expected) => Math.abs(value - expected) <= 1e-6 * Math.abs(expected)) && turnsRight(kernels, floats);
}

/** Two heads of 20, of which the last 18 turn by a right angle. */
function turnsRight(kernels: Kernels, floats: (at: number, value: (i: number) => number, count: number) => Float32Array): boolean {
  const [heads, size, offset, half] = [2, 20, 2, 9];
  floats(AT.cos, () => 0, half);
  floats(AT.sin, () => 1, half);
  const partners = { rotateHalves: (i: number) => (i < half ? i + half : i - half), rotatePairs: (i: number) => i ^ 1 };
  const isFirst = { rotateHalves: (i: number) => i < half, rotatePairs: (i: number) => i % 2 === 0 };
  return (['rotateHalves', 'rotatePairs'] as const).every((kernel) => {
    const x = floats(AT.a, (i) => i + 1, heads * size);
    kernels[kernel](AT.a, heads, size, 2 * half, offset, 1, heads * size, size, AT.cos, AT.sin, 0);
    return x.every((value, at) => {
      const i = (at % size) - offset;
      if (i < 0) return value === at + 1;
      const partner = at - i + partners[kernel](i) + 1;
      return value === (isFirst[kernel](i) ? -partner : partner);
    });
  });
}
