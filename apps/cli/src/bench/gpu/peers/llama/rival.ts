import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { askProbe, deviceName, listNvidiaGpus, type TestedDevice } from '@essaim/devices';
import { PROBE_ENTRY } from '../../../../devices/probe-entry.ts';
import { type BenchModel } from '../../../models.ts';
import { exportGguf } from '../../../peer/gguf/export.ts';
import { type GgufForm } from '../../../peer/gguf/format.ts';
import { llamaContender } from '../../../peer/llama/contender.ts';
import { LlamaProcess } from '../../../peer/llama/llama-process.ts';
import { BUILD_NAMES, installLlama, LLAMA_PACKAGE } from '../../../peer/llama/package.ts';
import { type LlamaBuild } from '../../../peer/llama/protocol.ts';
import { type BestSettings } from '../../../peer/llama/settings.ts';
import { settingsLine } from '../../../peer/llama/try-settings.ts';
import { type Progress } from '../../../progress.ts';
import { type Rival, type RivalForm, type RunningRival } from '../rival.ts';
import { cardSettings } from './card-settings.ts';
import { cudaLibraries } from './cuda-libraries.ts';
import { llamaPlaces, type LlamaPlace } from './places.ts';

export interface LlamaOptions {
  readonly device: TestedDevice;
  /** Absolute; the package and the weights are written below it. */
  readonly folder: string;
  readonly threads: number;
  /** May have CUDA's libraries: a command of the path, or a file. */
  readonly python: string;
  readonly progress: Progress;
}

const FORMS: Readonly<Record<RivalForm, GgufForm>> = { int4: 'q4_0', f16: 'f16' };

/** llama.cpp, every layer on the card: by CUDA where that is NVIDIA's and its libraries are there, else by Vulkan or Metal. */
export class LlamaRival implements Rival {
  readonly name = 'llama.cpp';
  readonly #options: LlamaOptions;
  /** What was found out when it first ran, and why no better place is it. */
  #place: LlamaPlace | null = null;
  #passedOver: readonly string[] = [];
  readonly #settings = new Map<string, BestSettings>();
  readonly #installed = new Map<LlamaBuild, Promise<string>>();

  constructor(options: LlamaOptions) {
    this.#options = options;
  }

  async start(model: BenchModel, form: RivalForm, stop: AbortSignal): Promise<RunningRival> {
    const { folder, progress } = this.#options;
    const onProgress = progress.bytes(`writing the weights of ${model.name} as GGUF`);
    const gguf = await exportGguf({ checkpointFolder: model.ref.directory, form: FORMS[form], cacheFolder: join(folder, 'cache'), onProgress, signal: stop });
    const { process, place, card } = await this.#load(gguf, stop);
    try {
      const settings = await this.#settingsOf(`${model.name} ${form}`, process, { vocabSize: model.spec.vocabSize, stop });
      const what = `${LLAMA_PACKAGE.name} ${LLAMA_PACKAGE.version} by ${BUILD_NAMES[place.build]}, ${FORMS[form]} on ${card}`;
      const about = [what, ...this.#passedOver.map((reason) => `not by ${reason}`), `decoding with ${settingsLine(settings.decode)}`, `prompts with ${settingsLine(settings.prefill)}`].join('; ');
      return { contender: llamaContender(process, settings), about, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
    } catch (thrown) {
      await process[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async #load(gguf: string, stop: AbortSignal): Promise<{ readonly process: LlamaProcess; readonly place: LlamaPlace; readonly card: string }> {
    const places = this.#place === null ? await findPlaces(this.#options) : [this.#place];
    const reasons: string[] = [];
    for (const place of places) {
      try {
        const loaded = await this.#loadAt(place, gguf, stop);
        if (this.#place === null) [this.#place, this.#passedOver] = [place, reasons];
        return { ...loaded, place };
      } catch (thrown) {
        stop.throwIfAborted();
        reasons.push(`${BUILD_NAMES[place.build]}: ${AppError.from(thrown).message}`);
      }
    }
    throw new AppError('unavailable', reasons.length > 0 ? reasons.join('; ') : `llama.cpp can't be told which card ${deviceName(this.#options.device)} is`);
  }

  async #loadAt({ build, environment }: LlamaPlace, gguf: string, stop: AbortSignal): Promise<{ readonly process: LlamaProcess; readonly card: string }> {
    const { folder, threads, progress } = this.#options;
    progress.note(`llama.cpp by ${BUILD_NAMES[build]}: ${LLAMA_PACKAGE.name} ${LLAMA_PACKAGE.version}`);
    const installed = this.#installed.get(build) ?? installLlama(join(folder, 'cache'), build, stop);
    this.#installed.set(build, installed);
    const library = await installed;
    const process = new LlamaProcess({ library, build, gguf, threads, mapped: false }, join(folder, 'logs', 'llama.cpp.log'), environment);
    try {
      const { devices } = await process.ask<'describe'>({ kind: 'describe' }, stop);
      if (devices.length !== 1) throw new AppError('failed_precondition', `llama.cpp sees ${devices.length === 0 ? 'no card' : `several cards, ${devices.join(' and ')}`}`);
      return { process, card: devices[0]! };
    } catch (thrown) {
      await process[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async #settingsOf(key: string, process: LlamaProcess, { vocabSize, stop }: { readonly vocabSize: number; readonly stop: AbortSignal }): Promise<BestSettings> {
    const { device, progress } = this.#options;
    const known = this.#settings.get(key) ?? (await cardSettings(process, device, { vocabSize, note: (line) => progress.note(line), stop }));
    this.#settings.set(key, known);
    return known;
  }
}

async function findPlaces({ device, python }: LlamaOptions): Promise<LlamaPlace[]> {
  const adapters = process.platform === 'linux' ? await askProbe({ kind: 'adapters' }, { entry: PROBE_ENTRY, environment: device.environment }).catch(() => []) : [];
  const host = await listNvidiaGpus();
  const gpus = host.kind === 'found' ? host.gpus : [];
  return llamaPlaces(device, { platform: process.platform, gpus, cuda: gpus.length > 0 ? await cudaLibraries(python) : {}, adapters });
}
