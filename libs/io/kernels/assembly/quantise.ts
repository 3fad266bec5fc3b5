/** Stand-in until written. */
export function quantise(): void {}
