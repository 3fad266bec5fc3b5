/** What a device multiplies matrices in. */
export const COMPUTE_DTYPES = ['f32', 'f16'] as const;
export type ComputeDtype = (typeof COMPUTE_DTYPES)[number];
