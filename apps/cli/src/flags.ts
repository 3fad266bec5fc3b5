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

export const unsigned64 = (text: string): bigint => {
  if (!/^\d{1,20}$/.test(text) || BigInt.asUintN(64, BigInt(text)) !== BigInt(text)) throw new InvalidArgumentError('it must be a whole number below 2^64.');
  return BigInt(text);
};

export const text = (value: string): string => {
  if (value.trim() === '') throw new InvalidArgumentError('it must not be empty.');
  return value;
};
