export interface Scanned {
  /** What may be shown now. */
  readonly text: string;
  /** A stop string is complete: nothing follows. */
  readonly stopped: boolean;
}

/**
 * Cuts a text at the first stop string that becomes complete, however the text is chunked. Of two that become complete with the same
 * character the longer one counts. Text that could be the start of a stop string is held back, fewer characters than the longest one has.
 */
export class StopScanner {
  readonly #stops: readonly string[];
  readonly #longest: number;
  #held = '';

  /** None of them empty. */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
    this.#longest = Math.max(0, ...stops.map(({ length }) => length));
  }

  push(chunk: string): Scanned {
    const text = this.#held + chunk;
    const cut = this.#firstStop(text);
    const end = cut ?? text.length - this.#possibleStart(text);
    this.#held = cut === null ? text.slice(end) : '';
    return { text: text.slice(0, end), stopped: cut !== null };
  }

  /** The text held back, when no more follows. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Where the stop string starts that is complete first. */
  #firstStop(text: string): number | null {
    let first: { readonly start: number; readonly end: number } | null = null;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start !== -1 && (first === null || end < first.end || (end === first.end && start < first.start))) first = { start, end };
    }
    return first?.start ?? null;
  }

  /** Length of the longest end of the text that begins a stop string. */
  #possibleStart(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.slice(-length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
