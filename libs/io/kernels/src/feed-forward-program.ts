import { assert } from '@essaim/core';
import { BLOCK, PANEL, panelsNamed, type PanelTensor, quantisedStride } from '@essaim/panels';
import { widthOf } from './arena.ts';
import { type BankView } from './bank.ts';
import { type FeedForwardJob } from './job.ts';
import { rowAt } from './phases.ts';
import { type ProgramContext } from './program-context.ts';

/** A network of the job, and the first of its rows. */
interface Group {
  readonly at: number;
  readonly rows: number;
  readonly row: number;
}

/** Gated networks, each over its own rows: down(silu(gate x) * up x). */
export class FeedForwardProgram {
  readonly #context: ProgramContext;

  constructor(context: ProgramContext) {
    this.#context = context;
  }

  run(job: FeedForwardJob): void {
    const { spec: { hiddenSize }, arena, layouts, bank, phases } = this.#context;
    const { kernels } = bank(job.bank);
    const layout = job.routed ? layouts.expert : layouts.dense[job.layer];
    assert(layout, 'a network that runs has a layout');
    const [gateUp, down] = [panelsNamed(layout, 'gateUp'), panelsNamed(layout, 'down')];
    let total = 0;
    const groups = job.groups.map(({ at, rows }): Group => ({ at, rows, row: (total += rows) - rows }));
    if (gateUp.form !== 'float32') {
      const stride = widthOf(hiddenSize);
      phases.rows(total, (row, count) => kernels.quantise(rowAt(arena.input, row, stride), count, hiddenSize, stride, arena.quantised + row * quantisedStride(hiddenSize)));
    }
    this.#activate(bank(job.bank), groups, gateUp, down.columns);
    this.#down(bank(job.bank), groups, down, gateUp.panels * PANEL);
  }

  /** Gate, up and what becomes of them, a few blocks of columns of one network a part. */
  #activate({ kernels }: BankView, groups: readonly Group[], gateUp: PanelTensor, inner: number): void {
    const { spec: { hiddenSize }, arena, phases } = this.#context;
    const upPanel = gateUp.parts[1]!.firstPanel;
    const [inputStride, stride] = [widthOf(hiddenSize), gateUp.panels * PANEL];
    const blocks = Math.ceil(inner / BLOCK);
    const atOnce = phases.share(blocks * groups.length, blocks);
    const parts = Math.ceil(blocks / atOnce);
    phases.parts(parts * groups.length, (part) => {
      const { at, rows, row } = groups[Math.floor(part / parts)]!;
      const first = (part % parts) * atOnce;
      const end = Math.min(blocks, first + atOnce);
      const placed = { kernels, piece: at, matrix: gateUp };
      const input = { floats: rowAt(arena.input, row, inputStride), stride: inputStride, quantised: arena.quantised + row * quantisedStride(hiddenSize) };
      const result = { rows, out: rowAt(arena.inner, row, stride), stride };
      // A block of 32 columns is two panels.
      const [firstPanel, endPanel] = [2 * first, Math.min(upPanel, 2 * end)];
      phases.panels(placed, input, result, firstPanel, endPanel);
      phases.panels(placed, input, result, upPanel + firstPanel, upPanel + endPanel);
      const gate = result.out + 4 * first * BLOCK;
      kernels.swiglu(gate, gate + 4 * upPanel * PANEL, gate, rows, Math.min(inner, end * BLOCK) - first * BLOCK, stride, stride, stride);
      if (gateUp.form !== 'float32') kernels.quantiseColumns(result.out, rows, inner, stride, arena.quantisedInner + row * quantisedStride(inner), first, end);
    });
  }

  /** Some panels of one network a part. */
  #down({ kernels }: BankView, groups: readonly Group[], down: PanelTensor, innerStride: number): void {
    const { spec: { hiddenSize }, arena, phases } = this.#context;
    const stride = widthOf(hiddenSize);
    const atOnce = phases.share(down.panels * groups.length, down.panels);
    const parts = Math.ceil(down.panels / atOnce);
    phases.parts(parts * groups.length, (part) => {
      const { at, rows, row } = groups[Math.floor(part / parts)]!;
      const first = (part % parts) * atOnce;
      const activated = { floats: rowAt(arena.inner, row, innerStride), stride: innerStride, quantised: arena.quantisedInner + row * quantisedStride(down.columns) };
      phases.panels({ kernels, piece: at, matrix: down }, activated, { rows, out: rowAt(arena.output, row, stride), stride }, first, Math.min(down.panels, first + atOnce));
    });
  }
}
