import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { devicesCommand } from './commands/devices.ts';
import { planCommand } from './commands/plan.ts';
import { upCommand } from './commands/up.ts';
import { packageRoot } from './package-root.ts';

/** The whole command line: one file per command. Commander throws instead of exiting, so that main maps every failure in one place. */
export function program(): Command {
  const essaim = new Command('essaim')
    .description('Serves Mixture-of-Experts language models on a cluster of workers.')
    .version(version(), '-V, --version', 'tell the version')
    .helpCommand(false)
    .addCommand(upCommand())
    .addCommand(planCommand())
    .addCommand(devicesCommand())
    .addCommand(benchCommand());
  for (const command of [essaim, ...essaim.commands]) {
    command.exitOverride().configureOutput({ outputError: () => undefined }).allowExcessArguments(false).showHelpAfterError(false);
  }
  return essaim;
}

const version = (): string => (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { readonly version: string }).version;
