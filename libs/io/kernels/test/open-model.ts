import { CompiledCache } from '@essaim/files';
import { expertPieces, leadPieces, type PanelModel, type PanelPiece } from '@essaim/panels';
import { packIntoCache, type PanelFile } from '../src/compile-panels.ts';
import { KernelModel } from '../src/kernel-model.ts';

export interface OpenOptions {
  /** Of compiled pieces. */
  readonly folder: string;
  /** Default: 1. */
  readonly threads?: number;
  /** Default: 4 GiB. */
  readonly bankBytes?: number;
}

export const packed = (model: PanelModel, piece: PanelPiece, folder: string): Promise<PanelFile> => packIntoCache(model, piece, new CompiledCache(folder), { onBytes: () => undefined });

/** With nothing loaded. */
export const openModel = (model: PanelModel, { threads = 1, bankBytes }: Omit<OpenOptions, 'folder'> = {}): Promise<KernelModel> =>
  KernelModel.open({ model, threads, threadEntry: new URL('./team.thread.ts', import.meta.url), ...(bankBytes === undefined ? {} : { bankBytes }) });

/** With every piece loaded. */
export async function openWhole(model: PanelModel, { folder, ...options }: OpenOptions): Promise<KernelModel> {
  const opened = await openModel(model, options);
  for (const piece of [...leadPieces(model.spec), ...expertPieces(model.spec)]) await opened.load(await packed(model, piece, folder));
  return opened;
}
