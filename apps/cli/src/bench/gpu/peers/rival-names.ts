/** In the order of the columns. Programs find figures by these names: change none. */
export const RIVAL_NAMES = ['transformers', 'llama.cpp'] as const;
export type RivalName = (typeof RIVAL_NAMES)[number];
