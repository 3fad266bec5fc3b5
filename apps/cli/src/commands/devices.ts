import { Command, Option } from 'commander';
import { type DevicesFlags } from '../devices/run-devices.ts';

const ABOUT = `
Providers:
  cpu        kernels of Essaim's own
  webgpu     any vendor's card whose driver speaks Vulkan, through ONNX Runtime; also Metal and Direct3D 12
  cuda       NVIDIA's cards, through ONNX Runtime, where the libraries of CUDA 12 and cuDNN 9 are installed
  tensorrt   the same with TensorRT 10

Each device is tried: a small graph with a known answer runs on it, in a process of its own.
essaim up --device NAME has workers compute on one, --devices NAME,NAME on each of several, --devices all on all.
`;

/** `essaim devices`: what this host could compute on. */
export function devicesCommand(): Command {
  return new Command('devices')
    .description('Lists what this host offers to compute on, tries each device, and says why what is missing is missing.')
    .addHelpText('after', ABOUT)
    .addOption(new Option('--json', 'one JSON object, for programs'))
    .helpOption('-h, --help', 'this text')
    .action(async (flags: DevicesFlags) => (await import('../devices/run-devices.ts')).runDevices(flags));
}
