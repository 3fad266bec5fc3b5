import { Argument, Command, Option } from 'commander';
import { AppError } from '@essaim/core';
import { parseDeviceChoice } from '@essaim/devices';
import { type BenchFlags, type BenchOptions, CLUSTER_PARTS, GPU_MODELS, namesIn, resolveBenchOptions } from '../bench/options.ts';
import { SHAPE_EXPERTS, SHAPE_NAMES } from '../bench/shapes/models.ts';
import { text, wholeNumber } from '../flags.ts';

/** Loaded when asked for: the other commands do without. */
const BENCHMARKS: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  engine: async (options) => (await import('../bench/run-engine.ts')).runEngineBench(options),
  peer: async (options) => (await import('../bench/peer/run-peer.ts')).runPeerBench(options),
  cluster: async (options) => (await import('../bench/cluster/run-cluster.ts')).runClusterBench(options),
  gateway: async (options) => (await import('../bench/gateway/run-gateway.ts')).runGatewayBench(options),
  scale: async (options) => (await import('../bench/scale/run-scale.ts')).runScaleBench(options),
  latency: async (options) => (await import('../bench/latency/run-latency.ts')).runLatencyBench(options),
  plan: async (options) => (await import('../bench/plan/run-plan.ts')).runPlanBench(options),
  grammar: async (options) => (await import('../bench/grammar/run-grammar.ts')).runGrammarBench(options),
  shapes: async (options) => (await import('../bench/shapes/run-shapes.ts')).runShapesBench(options),
  gpu: async (options) => (await import('../bench/gpu/run-gpu.ts')).runGpuBench(options),
  profile: async (options) => (await import('../bench/profile/run-profile.ts')).runProfile(options),
};

const ABOUT = `
Benchmarks:
  engine   tokens per second at 1 and 16 streams, time to the first token, start, memory and expert calls between workers,
           of each model on 1 worker and on 3 workers in turns, measured by a client of the gateway
  peer     the synthetic model on 1 worker and on llama.cpp (node-llama-cpp, installed on demand) in turns, with the same weights
           and threads: decoding at 1 to 32 streams, prompts, time to the first token, start, memory, and what memory bandwidth
           would allow
  cluster  exchange: microseconds of one exchange of activations between two workers, in each form that they may travel in, beside
           raw sockets with the same bytes: seconds a round.
           throughput: tokens per second at 16 streams of each model on 1 worker, on 2 workers with as many threads together and on
           4, and where the time of a token goes in them
  gateway  what a gateway costs for each token, until the first one, and in memory for a stream that waits, in front of a scripted
           lead: a minute a round
  scale    nanoseconds per token that a lead spends on scheduling, routing and dispatch, for up to 10,000 sequences, 256 experts
           and 512 workers, in one process: half a minute a round
  latency  how long 1 and 16 streams wait for their next token: alone, while a prompt of 2,048 tokens is read on the same worker, and
           while a worker that leaves hands its experts to theirs
  plan     calibrates plans: times of small models of random weights on 1 worker and on 2, what each term of the plan's formula costs by them, and
           how far off plans with these costs are for the model asked for. Writes topologies for 'essaim plan'
  grammar  what holding an answer to a schema or a pattern costs over a vocabulary of 131,072 tokens: milliseconds to compile, microseconds
           a token, in this process: seconds
  shapes   the embedding, the head and one layer of large models at their real sizes, random weights, in one process: bytes, seconds to
           pack and to load, memory, milliseconds for 1 and for 256 rows; each is checked against float64 first: minutes a model
  gpu      what a card gives at most: bytes per second to it and within it, products of matrices; then each model on one worker of it,
           with weights of 4 bits, the same with products in float16, and all in float16: 1 to 128 streams, prompts of 512 and 2,048
           tokens, and how close one stream and prompts come to what the card gives. Says so where there is no card.
           Beside it, in the same rounds, transformers (of your Python, --python) and llama.cpp (installed on demand) where they can be had
  profile  no figures but a CPU profile: where one of 3 workers spends its time while 16 streams run

Models:
  built-in    the one that Essaim starts with, float32: seconds a round
  synthetic   a Mixtral with 1.5 billion random weights, int4: minutes a round. Its checkpoint (3 GB) is written once into the
              state folder, which needs 6 GB free
  synthetic-large   of gpu alone: 11.8 billion random weights, a checkpoint of 24 GB and as much again for its form in float16
  large-3, small-4   of shapes alone: Mistral Large 3 and Small 4, one routed layer of each

Absolute figures belong to one machine at one time. Ratios are taken within each round, between clusters that ran one after the
other, so they hold up better on a machine that others use too.

Examples:
  essaim bench engine --model built-in --rounds 1      a first look, in less than a minute
  essaim bench engine --rounds 5 --json figures.json   what BENCHMARKS.md is made of
  essaim bench peer --rounds 1 --rows decode-1,memory  against llama.cpp, two rows of the table
  essaim bench cluster --part exchange --rounds 20     what a call to another worker costs
`;

/** `essaim bench`: figures of real clusters on this machine. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('Measures real clusters on this machine: brings them up, asks them as a client would, stops them, prints a table.')
    .addHelpText('after', ABOUT)
    .addArgument(new Argument('<benchmark>', `what to measure: ${Object.keys(BENCHMARKS).join(', ')}`).argParser(benchmarkName))
    .addOption(new Option('--rounds <n>', 'times that everything is measured; the table has medians, smallest and largest').argParser(wholeNumber({ from: 1, to: 100 })).default(3))
    .addOption(new Option('--model <name>', 'the model to measure').choices([...GPU_MODELS, ...SHAPE_NAMES, 'all']).default('all'))
    .addOption(new Option('--json <file>', 'also write every row into this file').argParser(text))
    .addOption(new Option('--rows <names>', 'of peer and gpu: only these rows of the table, with commas between').argParser(namesIn))
    .addOption(new Option('--forms <names>', 'of gpu: only these forms of weights and products, with commas between: int4, int4-f16, f16').argParser(namesIn))
    .addOption(new Option('--part <name>', 'of cluster: only this part').choices([...CLUSTER_PARTS]))
    .addOption(new Option('--dtype <form>', 'of shapes: form of the weights').choices(['int4', 'int8']).default('int4'))
    .addOption(new Option('--experts <n>', 'of shapes: experts of the layer that are packed, loaded and run').argParser(wholeNumber({ from: 1, to: SHAPE_EXPERTS })).default(8))
    .addOption(new Option('--beside <names>', 'of gpu: only these other engines, with commas between: transformers, llama.cpp, none').argParser(namesIn))
    .addOption(new Option('--python <file>', 'of gpu: the Python that has torch and transformers').argParser(text).default('python3'))
    .addOption(new Option('--device <name>', 'of gpu: auto, webgpu, cuda or tensorrt, with :n for others than the first').argParser(parseDeviceChoice).default({ kind: 'auto' }, 'auto'))
    .addOption(new Option('--threads-per-worker <n>', 'computing threads of each of the 3 workers, the single one gets three times as many (default: the cores shared out)').env('ESSAIM_THREADS_PER_WORKER').argParser(wholeNumber({ from: 1, to: 256 })))
    .addOption(new Option('--state-dir <dir>', 'everything that is written goes here (default: essaim in the XDG state folder)').env('ESSAIM_STATE_DIR').argParser(text))
    .helpOption('-h, --help', 'this text')
    .action((name: string, flags: BenchFlags) => BENCHMARKS[name]!(resolveBenchOptions(name, flags)));
}

function benchmarkName(name: string): string {
  if (!Object.hasOwn(BENCHMARKS, name)) throw new AppError('invalid_argument', `there is no benchmark '${name}': the benchmarks are ${Object.keys(BENCHMARKS).join(', ')}`);
  return name;
}
