import { AppError } from '@essaim/core';
import { CommanderError } from 'commander';

export interface Failure {
  /** Null where everything was said already (help). */
  readonly sentence: string | null;
  readonly exitCode: number;
}

/** Shell convention for a job that Ctrl-C ended before it was done. */
const INTERRUPTED = 130;

/** The one map from errors to exit codes: 2 for what was typed, 1 for what happened, 130 for what was interrupted. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return { sentence: null, exitCode: 0 };
    // Without a command commander shows the help itself.
    if (thrown.code === 'commander.help') return { sentence: null, exitCode: 2 };
    return { sentence: `${oneSentence(thrown.message)}; \`--help\` lists what exists`, exitCode: 2 };
  }
  if (!(thrown instanceof AppError)) return { sentence: `this is a bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}`, exitCode: 1 };
  return { sentence: thrown.message, exitCode: exitCodeOf(thrown) };
}

function exitCodeOf(error: AppError): number {
  if (error.code === 'invalid_argument') return 2;
  return error.code === 'cancelled' ? INTERRUPTED : 1;
}

/** Commander writes "error: option '--x <n>' argument 'y' is invalid. Why" and a hint on a line of its own. */
function oneSentence(message: string): string {
  return message.replace(/^error: /, '').replace('is invalid. ', 'is invalid: ').replaceAll('\n', ' ').trim().replace(/\.$/, '');
}
