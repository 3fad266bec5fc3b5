import { AppError } from '@essaim/core';

/** Parses a body. Fails with `invalid_argument` that says where it is wrong and quotes nothing of it. */
export function parseJsonBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const position = errorPosition(text, thrown);
    const line = text.slice(0, position).split('\n');
    const where = position >= text.length ? 'it ends too early' : `line ${line.length}, column ${line.at(-1)!.length + 1} is unexpected`;
    throw new AppError('invalid_argument', `the body is not valid JSON: ${where}`);
  }
}

/** V8 tells the position of some errors; for an unexpected token it quotes the text around it instead, and the position must be looked for. */
function errorPosition(text: string, thrown: unknown): number {
  const { message } = thrown as Error;
  const told = / at position (\d+)/.exec(message);
  if (told !== null) return Number(told[1]);
  return message.startsWith('Unexpected token') ? firstUnexpected(text) : text.length;
}

/** The shortest beginning that has the error ends with the unexpected token; whatever follows changes nothing. */
function firstUnexpected(text: string): number {
  let [valid, wrong] = [0, text.length];
  while (wrong - valid > 1) {
    const middle = (valid + wrong) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) wrong = middle;
    else valid = middle;
  }
  return valid;
}

function hasUnexpectedToken(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return false;
  } catch (thrown) {
    return (thrown as Error).message.startsWith('Unexpected token');
  }
}
