import { CountingTeam } from './counting-team.ts';

/** A process of its own with a team of three, to see it end: the team closed, left as it is, or without threads that could start. */
const [, , end] = process.argv;
const team = new CountingTeam({ threads: 3, failsToStart: end === 'lost' });
if (end === 'lost') {
  await team.tell({ kind: 'close' });
} else {
  for (let job = 0; job < 20; job++) team.count({ phases: 2, parts: 5 });
  process.stdout.write('did 20 jobs');
  if (end === 'closed') {
    await team.close();
    process.stdout.write(', closed');
  }
  process.stdout.write('\n');
}
