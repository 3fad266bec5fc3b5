const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What the user asked for by Ctrl-C or a signal: the first asks to stop, the second not to wait for anything. */
export interface Interruption extends Disposable {
  readonly stop: AbortSignal;
  readonly hurry: AbortSignal;
}

export function listenForInterruption(): Interruption {
  const stop = new AbortController();
  const hurry = new AbortController();
  const onSignal = (): void => (stop.signal.aborted ? hurry : stop).abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    hurry: hurry.signal,
    [Symbol.dispose]: () => SIGNALS.forEach((signal) => process.off(signal, onSignal)),
  };
}
