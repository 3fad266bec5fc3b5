import { AppError } from '@essaim/core';

/** Bounds of a number, both included. */
export interface WholeRange {
  readonly from: number;
  readonly to: number;
}

/** A variable that must be there. Fails with `invalid_argument`. */
export function textVariable(name: string): string {
  const value = process.env[name] ?? '';
  if (value === '') throw new AppError('invalid_argument', `the variable ${name} is missing: set it`);
  return value;
}

export function wholeVariable(name: string, { from, to }: WholeRange): number {
  const text = textVariable(name);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to) throw new AppError('invalid_argument', `the variable ${name} is '${text}': set it to a whole number from ${from} to ${to}`);
  return value;
}

/** 0 lets the system choose a free port. */
export const portVariable = (name: string): number => wholeVariable(name, { from: 0, to: 65535 });

export function choiceVariable<const T extends string>(name: string, choices: readonly T[]): T {
  const text = textVariable(name);
  const choice = choices.find((each) => each === text);
  if (choice === undefined) throw new AppError('invalid_argument', `the variable ${name} is '${text}': set it to one of ${choices.join(', ')}`);
  return choice;
}

/** A variable with a form of its own, read by a parser that fails with `invalid_argument`. */
export function parsedVariable<T>(name: string, parse: (text: string) => T): T {
  try {
    return parse(textVariable(name));
  } catch (cause) {
    throw new AppError('invalid_argument', `the variable ${name} is wrong: ${AppError.from(cause).message}`, { cause });
  }
}

/** Absent counts as off. */
export function flagVariable(name: string): boolean {
  const value = process.env[name] ?? '';
  if (['1', 'true'].includes(value)) return true;
  if (['', '0', 'false'].includes(value)) return false;
  throw new AppError('invalid_argument', `the variable ${name} is '${value}': set it to 1 or 0`);
}
