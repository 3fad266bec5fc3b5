import { loadFour, storedBytes } from './stored';

/** Columns of a panel. */
export const PANEL = 16;
const PANEL_BYTES: usize = 4 * PANEL;

/**
 * Turns `count` rows of numbers that are T, `step` bytes apart, into panels of 16 columns of float32: out[panel][number][row of the panel]. `width`: what a row takes in float32, a multiple of 16.
 * The last row stands in for those that a last panel lacks.
 */
export function transpose<T>(rows: usize, step: usize, count: i32, width: usize, out: usize): void {
  const last = rows + usize(count - 1) * step;
  for (let row = 0; row < count; row += 8) {
    const panel = out + usize(row >> 4) * PANEL * width + (usize(row & 8) << 2);
    eightRows<T>(rows + usize(row) * step, step, last, width, panel);
  }
}

function eightRows<T>(a: usize, step: usize, last: usize, width: usize, out: usize): void {
  const b = min(a + step, last), c = min(b + step, last), d = min(c + step, last);
  const e = min(d + step, last), f = min(e + step, last), g = min(f + step, last), h = min(g + step, last);
  for (let i: usize = 0; i < width; i += 16, out += 4 * PANEL_BYTES) {
    const at = storedBytes<T>(i);
    const va = loadFour<T>(a + at), vb = loadFour<T>(b + at), vc = loadFour<T>(c + at), vd = loadFour<T>(d + at);
    const ve = loadFour<T>(e + at), vf = loadFour<T>(f + at), vg = loadFour<T>(g + at), vh = loadFour<T>(h + at);
    const ab = v128.shuffle<f32>(va, vb, 0, 4, 1, 5), cd = v128.shuffle<f32>(vc, vd, 0, 4, 1, 5);
    const ef = v128.shuffle<f32>(ve, vf, 0, 4, 1, 5), gh = v128.shuffle<f32>(vg, vh, 0, 4, 1, 5);
    v128.store(out, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(out, v128.shuffle<f32>(ef, gh, 0, 1, 4, 5), 16);
    v128.store(out, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), PANEL_BYTES);
    v128.store(out, v128.shuffle<f32>(ef, gh, 2, 3, 6, 7), PANEL_BYTES + 16);
    const AB = v128.shuffle<f32>(va, vb, 2, 6, 3, 7), CD = v128.shuffle<f32>(vc, vd, 2, 6, 3, 7);
    const EF = v128.shuffle<f32>(ve, vf, 2, 6, 3, 7), GH = v128.shuffle<f32>(vg, vh, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5), 2 * PANEL_BYTES);
    v128.store(out, v128.shuffle<f32>(EF, GH, 0, 1, 4, 5), 2 * PANEL_BYTES + 16);
    v128.store(out, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7), 3 * PANEL_BYTES);
    v128.store(out, v128.shuffle<f32>(EF, GH, 2, 3, 6, 7), 3 * PANEL_BYTES + 16);
  }
}
