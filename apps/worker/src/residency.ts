import { type ClusterSnapshot, type ExpertKey, hostedExperts, type LoadProgress, type WorkerId } from '@essaim/core';
import { layoutOf, leadPieces, type PanelModel, type PanelPiece, pieceName } from '@essaim/panels';
import { type CompileThreads } from './compile-threads.ts';
import { type LoadPace } from './load-pace.ts';
import { type Runtime } from './runtime.ts';

export interface ResidencyOptions {
  readonly self: WorkerId;
  readonly compiled: PanelModel;
  readonly model: Runtime['pieces'];
  /** Told how many experts will be held before any of them is loaded; fails where they don't fit. */
  readonly admit: (experts: number) => void;
  /** A piece that was compiled before; null for one that was not. */
  readonly find: Runtime['find'];
  readonly compiler: Pick<CompileThreads, 'compile'>;
  /** When a compiled piece is looked for, and when it is loaded. */
  readonly pace: Pick<LoadPace, 'load'>;
  /** Told whenever what is held, or how far it is, changed. */
  readonly onChange: () => void;
}

/** Pieces that are brought in at once, so that some are read while others are looked for. Fewer are compiled at once. */
const AT_ONCE = 8;

/** Makes what this worker holds what the placement wants it to hold: the dense part to lead, and its experts. Owns the loading. */
export class Residency {
  readonly #options: ResidencyOptions;
  readonly #lead: readonly PanelPiece[];
  #wanted: readonly PanelPiece[] = [];
  #compiledBytes = 0;
  #reconciling: Promise<void> | null = null;

  constructor(options: ResidencyOptions) {
    this.#options = options;
    this.#lead = rotated(leadPieces(options.compiled.spec), options.self);
  }

  get leadReady(): boolean {
    return this.#lead.every((key) => this.#options.model.has(key));
  }

  /** Nothing that is wanted is missing. */
  get isComplete(): boolean {
    return this.#wanted.length > 0 && this.#missing().length === 0;
  }

  /** Experts loaded, wanted or not, in no particular order. */
  hosted(): ExpertKey[] {
    return this.#wanted.flatMap((key) => (key.kind === 'expert' && this.#options.model.has(key) ? [{ layer: key.layer, expert: key.expert }] : []));
  }

  /** Bytes of weights, compiled of wanted. */
  progress(): LoadProgress {
    const totalBytes = this.#bytesOfAll(this.#wanted);
    const doneBytes = this.isComplete ? totalBytes : Math.min(totalBytes, this.#compiledBytes);
    return { doneBytes, totalBytes };
  }

  /** Starts towards what any first snapshot wants of a worker of the command line: the dense part, and the experts that are sure to come here. Resolves and fails as `follow` does. */
  async anticipate(experts: readonly PanelPiece[]): Promise<void> {
    if (this.#wanted.length === 0) await this.#want([...this.#lead, ...experts]);
  }

  /** Starts towards what a snapshot wants; resolves when it holds that or what a later one wants. Fails when a piece can't be compiled or loaded. */
  follow(snapshot: ClusterSnapshot): Promise<void> {
    const { self } = this.#options;
    const isLead = snapshot.workers.some(({ id, roles }) => id === self && roles.lead);
    const experts = hostedExperts(snapshot, self).map((key): PanelPiece => ({ kind: 'expert', ...key }));
    return this.#want([...(isLead ? this.#lead : []), ...experts]);
  }

  #want(wanted: readonly PanelPiece[]): Promise<void> {
    if (!areSame(wanted, this.#wanted)) this.#wanted = wanted;
    // A turn later, so that the loop's own end always comes after this assignment.
    this.#reconciling ??= Promise.resolve().then(() => this.#reconcile());
    return this.#reconciling;
  }

  async #reconcile(): Promise<void> {
    try {
      while (this.#missing().length > 0 || this.#unwanted().length > 0) {
        this.#options.admit(this.#wanted.filter(({ kind }) => kind === 'expert').length);
        for (const key of this.#unwanted()) await this.#options.model.unload(key);
        await this.#bringInAll();
        this.#options.onChange();
      }
    } finally {
      this.#reconciling = null;
    }
  }

  /** What is missing, until something else is wanted. Nothing is under way any more when it fails. */
  async #bringInAll(): Promise<void> {
    const wanted = this.#wanted;
    const missing = this.#missing().values();
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (const key of missing) {
        if (this.#wanted !== wanted || failures.length > 0) return;
        await this.#bringIn(key).catch((thrown: unknown) => failures.push(thrown));
        this.#options.onChange();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    if (failures.length > 0) throw failures[0];
  }

  async #bringIn(key: PanelPiece): Promise<void> {
    const { find, compiler, model, pace, onChange } = this.#options;
    const onBytes = (bytes: number): void => {
      this.#compiledBytes += bytes;
      onChange();
    };
    // Threads that compile take longer to start than all pieces take to find.
    const found = await pace.load(() => find(key));
    if (found !== null) onBytes(this.#bytesOf(key));
    const file = found ?? (await compiler.compile(key, onBytes));
    await pace.load(() => model.load(file));
  }

  #missing(): PanelPiece[] {
    return this.#wanted.filter((key) => !this.#options.model.has(key));
  }

  #unwanted(): PanelPiece[] {
    const wanted = new Set(this.#wanted.map(pieceName));
    return this.#options.model.pieces().filter((key) => !wanted.has(pieceName(key)));
  }

  #bytesOfAll(pieces: readonly PanelPiece[]): number {
    return pieces.reduce((sum, piece) => sum + this.#bytesOf(piece), 0);
  }

  #bytesOf(piece: PanelPiece): number {
    return layoutOf(this.#options.compiled, piece).bytes;
  }
}

const areSame = (some: readonly PanelPiece[], others: readonly PanelPiece[]): boolean =>
  some.length === others.length && some.every((piece, nth) => pieceName(piece) === pieceName(others[nth]!));

/** Workers that start together begin at different pieces, so that each finds in the cache what another has compiled meanwhile. */
function rotated(keys: readonly PanelPiece[], self: WorkerId): PanelPiece[] {
  const start = [...self].reduce((sum, character) => sum * 31 + character.codePointAt(0)!, 7) % keys.length;
  return [...keys.slice(start), ...keys.slice(0, start)];
}
