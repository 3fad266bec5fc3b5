import { type Reporter, type SerializedError, type TestModule } from 'vitest/node';

/** Closes a run with its counts alone on a line, which scripts can read. A file that can't run at all and a stray error count as failed. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): void {
    const states = modules.flatMap((module) => Array.from(module.children.allTests(), (test) => test.result().state));
    const passed = states.filter((state) => state === 'passed').length;
    const skipped = states.filter((state) => state === 'skipped').length;
    const broken = modules.filter((module) => module.errors().length > 0).length + strayErrors.length;
    const failed = states.length - passed - skipped + broken;
    process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}
