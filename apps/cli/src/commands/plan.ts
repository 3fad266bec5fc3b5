import { Command, Option } from 'commander';
import { KV_DTYPES } from '@essaim/core';
import { PLANNED_DTYPES } from '@essaim/planning';
import { decimal, text, wholeNumber } from '../flags.ts';
import { type PlanFlags } from '../plan/options.ts';

const ABOUT = `
A topology is a YAML file:
  description: two boxes
  nodes:
    - count: 2
      workers: [{ count: 4, device: RTX 4090, processor: gpu, memoryGB: 24, readGBPerSecond: 1008, teraflops: 165, pricePerHour: 0.40 }]
      link: { kind: PCIe, GBPerSecond: 25, roundTripMicroseconds: 20 }
  network: { kind: Ethernet, GBPerSecond: 3.1, roundTripMicroseconds: 100 }
Links are those of one worker in one direction. A node of one worker needs no link, one machine needs no network, and no price is needed.

Figures and prices in the topologies that come with Essaim are examples from data sheets, taken with assumed efficiencies that are shown with
the result: check them against your vendor's. A topology may hold figures that were measured instead: measuredWith (a form of weights), and of
workers stepMicroseconds, layerMicroseconds, rowMicroseconds (of a token in a layer) and outputMicroseconds. 'essaim bench plan' measures this machine and writes such topologies.

Examples:
  essaim plan --list                                             the topologies that come with Essaim
  essaim plan --cluster cpu-box                                  the built-in model on one machine
  essaim plan --model ~/models/Large-3/params.json --cluster 8xh200 --dtype fp8 --context 32768 --streams 64
  essaim plan --model ~/models/Mixtral-8x7B --cluster my.yaml --price 2.10 --json
`;

/** `essaim plan`: what a model would need and do on a cluster that need not exist. */
export function planCommand(): Command {
  return new Command('plan')
    .description('Says whether a model fits on a cluster, what lies where and how fast it should be, from its configuration alone: no weights are read.')
    .addHelpText('after', ABOUT)
    .addOption(new Option('--model <path>', 'checkpoint folder, or its config.json or params.json (default: the built-in model)').argParser(text))
    .addOption(new Option('--cluster <name|file>', 'a topology that comes with Essaim, or a YAML file').argParser(text))
    .addOption(new Option('--dtype <form>', 'form of the weights (default: float32 for the built-in model, int4 for an NVFP4 checkpoint, else int8)').choices(PLANNED_DTYPES))
    .addOption(new Option('--kv-dtype <f32|bf16>', 'form of keys and values (default: f32 with float32 weights, else bf16)').choices(KV_DTYPES))
    .addOption(new Option('--replicas <n>', 'copies of every expert, each on another worker').argParser(wholeNumber({ from: 1, to: 64 })).default(1))
    .addOption(new Option('--context <tokens>', 'tokens of each stream, prompt and answer together (default: 4096, or what the model reads)').argParser(wholeNumber({ from: 1, to: 1e8 })))
    .addOption(new Option('--streams <n>', 'streams at once').argParser(wholeNumber({ from: 1, to: 1e6 })).default(16))
    .addOption(new Option('--price <amount>', 'per device and hour, instead of those of the topology').argParser(decimal({ from: 0, to: 1e6 })))
    .addOption(new Option('--json', 'one JSON object, for programs'))
    .addOption(new Option('--list', 'name the topologies that come with Essaim, and end'))
    .helpOption('-h, --help', 'this text')
    .action(async (flags: PlanFlags) => (await import('../plan/run-plan.ts')).runPlan(flags));
}
