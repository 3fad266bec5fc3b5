import { panelsNamed, quantisedStride } from '@essaim/panels';
import { widthOf } from './arena.ts';
import { FeedForwardProgram } from './feed-forward-program.ts';
import { GroupedQueryProgram } from './grouped-query-program.ts';
import { type AttendJob, type HeadJob, type Job } from './job.ts';
import { type Kernels } from './kernels.ts';
import { LatentProgram } from './latent-program.ts';
import { Phases, rowAt } from './phases.ts';
import { type AttentionProgram, type ProgramContext, type ProgramOptions } from './program-context.ts';

/** What a job computes, as every thread of the team runs it. */
export class Program {
  readonly #context: ProgramContext;
  readonly #attention: AttentionProgram;
  readonly #feedForward: FeedForwardProgram;
  readonly #stride: number;

  constructor(options: ProgramOptions) {
    const { arena, spec, thread, threads, signal } = options;
    const scratch = arena.scratch + thread * arena.scratchBytes;
    this.#context = { ...options, scratch, phases: new Phases({ threads, signal, scratch }) };
    this.#attention = spec.attention.kind === 'gqa' ? new GroupedQueryProgram(this.#context, spec.attention) : new LatentProgram(this.#context, spec.attention);
    this.#feedForward = new FeedForwardProgram(this.#context);
    this.#stride = widthOf(spec.hiddenSize);
  }

  run(job: Job): void {
    this.#context.phases.begin();
    if (job.kind === 'attend') this.#attend(job);
    else if (job.kind === 'feed-forward') this.#feedForward.run(job);
    else this.#head(job);
  }

  #attend(job: AttendJob): void {
    const { spec: { hiddenSize }, arena, layouts, bank, phases } = this.#context;
    const { kernels } = bank(job.bank);
    const layout = layouts.layers[job.layer]!;
    const [stride, { rows }] = [this.#stride, job];
    const isExact = panelsNamed(layout, 'output').form === 'float32';
    phases.rows(rows, (row, count) => this.#norm(kernels, arena.input, job.at + layout.tensors['attentionNorm']!.offset, row, count, isExact));
    this.#attention.run(job, layout);
    phases.rows(rows, (row, count) => {
      for (let nth = row; nth < row + count; nth++) kernels.add(rowAt(arena.input, nth, stride), rowAt(arena.output, nth, stride), rowAt(arena.next, nth, stride), hiddenSize);
      this.#norm(kernels, arena.next, job.at + layout.tensors['feedForwardNorm']!.offset, row, count, true);
    });
    if (layout.tensors['router'] === undefined) return;
    const router = panelsNamed(layout, 'router');
    phases.linear({ kernels, piece: job.at, matrix: router }, { floats: arena.normed, stride, quantised: 0 }, { rows, out: arena.router, stride: widthOf(router.rows) });
  }

  #head(job: HeadJob): void {
    const { spec, arena, layouts, bank, phases } = this.#context;
    const { kernels } = bank(job.bank);
    const matrix = panelsNamed(layouts.head, 'head');
    phases.rows(job.rows, (row, count) => this.#norm(kernels, arena.input, job.at + layouts.head.tensors['norm']!.offset, row, count, matrix.form === 'float32'));
    const normed = { floats: arena.normed, stride: this.#stride, quantised: arena.quantised };
    phases.linear({ kernels, piece: job.at, matrix }, normed, { rows: job.rows, out: arena.logits, stride: widthOf(spec.vocabSize) });
  }

  /** Rows of hidden states to `normed`, and to `quantised` where what comes next is not exact. */
  #norm(kernels: Kernels, from: number, weight: number, row: number, count: number, isExact: boolean): void {
    const { spec: { hiddenSize, normEpsilon }, arena } = this.#context;
    const normed = rowAt(arena.normed, row, this.#stride);
    kernels.rmsNorm(rowAt(from, row, this.#stride), weight, normEpsilon, normed, count, hiddenSize, this.#stride, this.#stride);
    if (!isExact) kernels.quantise(normed, count, hiddenSize, this.#stride, arena.quantised + row * quantisedStride(hiddenSize));
  }
}
