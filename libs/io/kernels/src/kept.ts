import { KV_VALUE_BYTES, type KvDtype } from '@essaim/core';

/** The kernels that write and read keys and values of each form; `widen` copies them as float32. */
export const KEPT = {
  f32: { bytes: KV_VALUE_BYTES.f32, copyRows: 'copyRows', widen: 'copyRows', attention: 'attention' },
  bf16: { bytes: KV_VALUE_BYTES.bf16, copyRows: 'copyRowsBf16', widen: 'widenRowsBf16', attention: 'attentionBf16' },
} as const satisfies Record<KvDtype, object>;
