import { fork } from 'node:child_process';
import { join } from 'node:path';

// Starts a process of the cluster, says its id and how far it is, and stays until it is killed.
const child = fork(join(import.meta.dirname, 'child.ts'), process.argv.slice(2));
child.once('spawn', () => process.stdout.write(`spawned ${child.pid}\n`));
child.once('message', () => process.stdout.write(`listening ${child.pid}\n`));
