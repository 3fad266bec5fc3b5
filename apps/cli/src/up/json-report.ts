import { tokensPerSecond, type Report } from './report.ts';

/** One JSON object per line on stdout, each with a `kind`. */
export function jsonReport(): Report {
  const write = (event: { readonly kind: string } & Readonly<Record<string, unknown>>): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
  return {
    loading: null,
    loadingEnded: () => undefined,
    ready: (view) => write({ kind: 'ready', ...view }),
    notice: (sentence) => write({ kind: 'notice', sentence }),
    piece: () => undefined,
    answer: (answer) => write({ kind: 'answer', ...answer, tokensPerSecond: tokensPerSecond(answer) }),
  };
}
