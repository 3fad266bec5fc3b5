import { InvalidArgumentError } from 'commander';

/** Bounds of a number, both included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Parsers of flag values for commander: text in, value out, or the reason why not. */
export const wholeNumber = ({ from, to }: Range) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to) throw new InvalidArgumentError(`it must be a whole number from ${from} to ${to}.`);
  return value;
};

export const decimal = ({ from, to }: Range) => (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= from && value <= to)) throw new InvalidArgumentError(`it must be a number from ${from} to ${to}.`);
  return value;
};

/** 0 asks the system for any free port. */
export const port = wholeNumber({ from: 0, to: 65535 });

/** What a signed 64-bit field of the wire holds, negatives left out. */
export const seed = (text: string): bigint => {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) >= 2n ** 63n) throw new InvalidArgumentError('it must be a whole number below 2^63.');
  return BigInt(text);
};

export const text = (value: string): string => {
  if (value.trim() === '') throw new InvalidArgumentError('it must not be empty.');
  return value;
};
