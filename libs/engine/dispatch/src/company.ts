/** Calls of others that are remembered between two of the own lead: more than leads in step with it make. */
const REMEMBERED = 64;

/**
 * Leads in step with the own one. Leads that go through the layers at one pace call for each at about the same time, and their calls can run
 * as one: so who called for the layer that the own lead was at last, if only a little later than it, is worth waiting for at the next.
 */
export class Company {
  /** Layers that others called for since the own lead's last call ran, and before that since the one before. */
  #recent: number[] = [];
  #earlier: number[] = [];
  #lastLayer: number | null = null;
  /** Of the own lead's call that has not run yet. */
  #layer: number | null = null;
  #isPatient = false;
  #calls = 0;

  /** The layer whose calls wait for more of them; null for none. */
  get awaited(): number | null {
    if (this.#layer === null || !this.#isPatient || this.#lastLayer === null) return null;
    return this.#countOf(this.#layer) < this.#countOf(this.#lastLayer) ? this.#layer : null;
  }

  /** Another lead calls for this layer. */
  came(layer: number): void {
    if (this.#recent.length < REMEMBERED) this.#recent.push(layer);
  }

  /** The own lead calls for this layer. Returns what names the call to `giveUp`. */
  call(layer: number): number {
    this.#layer = layer;
    this.#isPatient = true;
    return ++this.#calls;
  }

  /** That call waits no longer. Nothing happens where it has run already. */
  giveUp(call: number): void {
    if (call === this.#calls) this.#isPatient = false;
  }

  /** Calls for this layer run, the own lead's among them where it has called for it. */
  ran(layer: number): void {
    if (layer !== this.#layer) return;
    [this.#earlier, this.#recent, this.#lastLayer, this.#layer] = [this.#recent, [], layer, null];
  }

  #countOf(layer: number): number {
    return [...this.#earlier, ...this.#recent].filter((each) => each === layer).length;
  }
}
