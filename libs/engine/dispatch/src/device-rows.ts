/** What is added to some rows of a step. */
export type AddedRows =
  /** What an expert of this process makes of these rows, each times its gate. */
  | { readonly kind: 'expert'; readonly expert: number; readonly rows: Uint32Array; readonly gates: Float32Array }
  /** What another worker returned for them: [rows, hidden]. */
  | { readonly kind: 'values'; readonly rows: Uint32Array; readonly values: Float32Array };

/** The rows of a step that stay on a device, after the attention of a layer: the input of the layer's experts, and the residual stream that they add to. */
export interface DeviceRows {
  readonly rowCount: number;
  /** The experts' input of some rows, in the order given: [rows.length, hidden]. */
  inputs(rows: Uint32Array): Promise<Float32Array>;
  /** Adds to the residual stream, in the order given. Fails with `failed_precondition`, and adds nothing, when this process lacks one of the experts. */
  add(layer: number, parts: readonly AddedRows[]): Promise<void>;
}
