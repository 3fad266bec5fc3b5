import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { COMPUTE_DTYPES, KV_DTYPES, LIMITS, WEIGHT_DTYPES } from '@essaim/core';
import { parseDeviceChoice, parseDevices } from '@essaim/devices';
import { ACTIVATION_DTYPES, DEFAULT_ACTIVATION_DTYPE } from '@essaim/rpc/activations';
import { decimal, port, seed, text, wholeNumber } from '../flags.ts';
import { type UpFlags } from '../up/options.ts';

const EXAMPLES = `
Examples:
  essaim up                                                    the built-in model on 3 workers, until Ctrl-C
  essaim up --prompt "Il était une fois" --max-tokens 40       one answer through the same cluster, then the end
  essaim up --model ~/models/Mixtral-8x7B --dtype int4 --workers 4 --replicas 2
  ESSAIM_HTTP_PORT=9000 essaim up                              every flag with a value is also a variable
`;

/** `essaim up`: a whole cluster on this machine. */
export function upCommand(): Command {
  const command = new Command('up')
    .description('Starts a control plane, a gateway and several workers on this machine, and stays up until Ctrl-C.\nWith --prompt it answers once through such a cluster and ends.')
    .configureHelp({ optionDescription: describe })
    .addHelpText('after', EXAMPLES);

  command.optionsGroup('Model:');
  command
    .addOption(flag('--model <dir>', 'MODEL', 'checkpoint folder in the layout of Hugging Face or Mistral (default: the built-in model)').argParser(text))
    .addOption(flag('--model-id <id>', 'MODEL_ID', 'the name that clients use (default: the name of the folder)').argParser(text))
    .addOption(flag('--dtype <float32|int8|int4>', 'DTYPE', 'form of the weights in memory (default: float32 for the built-in model, int4 for an NVFP4 checkpoint, else int8)').choices(WEIGHT_DTYPES))
    .addOption(new Option('--deterministic', 'the same tokens bit for bit whatever runs beside, moves or fails; slower (also ESSAIM_DETERMINISTIC=1)'));

  command.optionsGroup('Cluster:');
  command
    .addOption(flag('--workers <n>', 'WORKERS', 'worker processes').argParser(wholeNumber({ from: 1, to: 64 })).default(3))
    .addOption(flag('--device <name>', 'DEVICE', 'what each worker computes on: cpu, webgpu, cuda or tensorrt, with :n for others than the first, or auto for the best that works').argParser(parseDeviceChoice).default(parseDeviceChoice('cpu'), 'cpu'))
    .addOption(flag('--devices <all|names>', 'DEVICES', 'one worker for each device of this host, or for each that is named, with commas between, instead of --workers and --device').argParser(parseDevices).conflicts(['device', 'workers']))
    .addOption(flag('--compute-dtype <f32|f16>', 'COMPUTE_DTYPE', 'what cards multiply matrices in; f16 rounds float32 weights to it, too, and needs a card that has it').choices(COMPUTE_DTYPES).default('f32'))
    .addOption(flag('--replicas <n>', 'REPLICAS', 'copies of every expert, each on another worker').argParser(wholeNumber({ from: 1, to: 64 })).default(1))
    .addOption(flag('--threads-per-worker <n>', 'THREADS_PER_WORKER', `threads that compute (default: the ${availableParallelism()} cores shared out)`).argParser(wholeNumber({ from: 1, to: 1024 })))
    .addOption(flag('--worker-memory <mib>', 'WORKER_MEMORY', 'MiB that each worker may take, weights, keys and values together (default: its share of 80 % of this machine\'s memory, or of 85 % of its card\'s)').argParser(wholeNumber({ from: 1, to: 2 ** 30 })))
    .addOption(flag('--kv-memory <mib>', 'KV_MEMORY', 'MiB of each worker for keys and values, also of prompts that may come again (default: a quarter of its share of the memory, or what the experts leave of that)').argParser(wholeNumber({ from: 1, to: 2 ** 30 })))
    .addOption(flag('--kv-dtype <f32|bf16>', 'KV_DTYPE', 'form of keys and values in memory (default: f32 with float32 weights, else bf16)').choices(KV_DTYPES))
    .addOption(flag('--wire-dtype <f32|f16|bf16|int8>', 'WIRE_DTYPE', 'form of activations between workers, always f32 with --deterministic').choices(ACTIVATION_DTYPES).default(DEFAULT_ACTIVATION_DTYPE))
    .addOption(flag('--running-sequences <n>', 'RUNNING_SEQUENCES', 'answers that a worker computes in the same step; further ones wait').argParser(wholeNumber({ from: 1, to: LIMITS.mostRunningSequences })).default(LIMITS.runningSequences))
    .addOption(flag('--speculate <tokens>', 'SPECULATE', 'guess so many tokens of an answer from what it repeats, and verify them together: the same answer, sooner where it repeats').argParser(wholeNumber({ from: 0, to: LIMITS.draftTokens })).default(0))
    .addOption(flag('--state-dir <dir>', 'STATE_DIR', 'everything that is written goes here (default: essaim in the XDG state folder)').argParser(text));

  command.optionsGroup('Network (with --prompt each port defaults to any free one):');
  command
    .addOption(flag('--host <address>', 'HOST', 'address to listen on').argParser(text).default('127.0.0.1'))
    .addOption(flag('--http-port <port>', 'HTTP_PORT', 'OpenAI-compatible HTTP (default: 8000)').argParser(port))
    .addOption(flag('--grpc-port <port>', 'GRPC_PORT', 'public gRPC (default: 8001)').argParser(port))
    .addOption(flag('--admin-port <port>', 'ADMIN_PORT', 'admin REST and OpenAPI (default: 8080)').argParser(port))
    .addOption(flag('--control-port <port>', 'CONTROL_PORT', 'control plane gRPC, for workers and gateways (default: 8081)').argParser(port));

  command.optionsGroup('One answer:');
  command
    .addOption(flag('--prompt <text>', 'PROMPT', 'generate once, print the text, end').argParser(text))
    .addOption(flag('--max-tokens <n>', 'MAX_TOKENS', 'longest answer').argParser(wholeNumber({ from: 1, to: 1_000_000 })).default(64))
    .addOption(flag('--temperature <t>', 'TEMPERATURE', '0 takes the most likely token each time').argParser(decimal({ from: 0, to: 2 })).default(0))
    .addOption(flag('--seed <n>', 'SEED', 'the same seed draws the same answer').argParser(seed));

  command.optionsGroup('Output:');
  command
    .addOption(new Option('--json', 'one JSON object per line on stdout, for programs'))
    .addOption(new Option('--quiet', 'no progress and no summary, only results and errors'))
    .helpOption('-h, --help', 'this text');

  return command.action(async (flags: UpFlags) => (await import('../up/run-up.ts')).runUp(flags));
}

/** A flag that is also an environment variable. */
function flag(flags: string, variable: string, description: string): Option {
  return new Option(flags, description).env(`ESSAIM_${variable}`);
}

/** One parenthesis at most: the variable's name follows from the flag's. */
function describe({ description, defaultValue, defaultValueDescription = defaultValue }: Option): string {
  return defaultValue === undefined ? description : `${description} (default: ${defaultValueDescription})`;
}
