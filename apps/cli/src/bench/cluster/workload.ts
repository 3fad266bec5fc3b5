import { ACTIVATION_DTYPES } from '@essaim/rpc';

/** Ways to send activations to another worker and have as many back. The first is what the others are held against. */
export const LINES = ['tcp', 'tls', 'insecure-f32', ...ACTIVATION_DTYPES.map((dtype) => `mutual-tls-${dtype}` as const)] as const;
export type LineName = (typeof LINES)[number];

/** Of an exchange, as float32 in one direction. */
export const EXCHANGE_BYTES = [1, 8, 16, 64, 512].map((kibibytes) => kibibytes * 1024);

export const EXCHANGE = {
  /** Numbers of a row, at most: hidden size of the synthetic model. */
  rowValues: 1024,
  /** Of each line and size before the first round: a worker makes thousands a second, so what counts is compiled code. */
  warmUpExchanges: 1_000,
  /** Of each line in a round, between turns of the others. */
  turns: 5,
  exchangesPerTurn: 20,
} as const;

