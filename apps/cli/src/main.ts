import { failureOf } from './failure.ts';
import { program } from './program.ts';

try {
  await program().parseAsync();
} catch (thrown) {
  const failure = failureOf(thrown);
  if (failure.sentence !== null) process.stderr.write(`essaim: ${failure.sentence}\n`);
  process.exitCode = failure.exitCode;
}
