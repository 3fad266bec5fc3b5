import { AppError } from '@essaim/core';

/** A submessage that the protocol always sends. */
export function required<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new AppError('invalid_argument', `a message came without ${field}`);
  return value;
}

/** A 64-bit wire integer as a number: counters and byte sizes stay below 2^53. */
export function toNumber(value: bigint, field: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new AppError('invalid_argument', `${field} is out of range`);
  return Number(value);
}

type NamesOf<E> = Lowercase<Exclude<keyof E & string, 'UNSPECIFIED'>>;

/** Both directions between string literals and the numbers of a wire enum. Declared with our own union, it compiles only while the two have the same cases. */
export interface EnumMap<Name extends string, Wire extends number> {
  readonly toWire: (name: Name) => Wire;
  readonly fromWire: (value: number) => Name;
}

/** The wire's READY is our 'ready': a case is named once, in the .proto file. */
export function enumMap<const E extends Readonly<Record<string, number>>>(wire: E, field: string): EnumMap<NamesOf<E>, E[keyof E]> {
  const cases = Object.entries(wire).filter(([name]) => name !== 'UNSPECIFIED').map(([name, value]) => [name.toLowerCase(), value] as const);
  const values = new Map(cases);
  const names = new Map(cases.map(([name, value]) => [value, name]));
  return {
    toWire: (name) => values.get(name) as E[keyof E],
    fromWire: (value) => {
      const name = names.get(value);
      if (name === undefined) throw new AppError('invalid_argument', `${field} ${value} is unknown: the other side runs another version`);
      return name as NamesOf<E>;
    },
  };
}
