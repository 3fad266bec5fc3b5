import { failureOf } from './failure.ts';
import { program } from './program.ts';

// Whoever reads the output, such as `head`, may have enough of it. A cluster stays up all the same.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program().parseAsync();
} catch (thrown) {
  const failure = failureOf(thrown);
  if (failure.sentence !== null) process.stderr.write(`essaim: ${failure.sentence}\n`);
  process.exitCode = failure.exitCode;
}
