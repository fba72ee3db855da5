/** `picket-controller migrate`: brings the schema up to this build and ends. `serve` does the same when it starts. */
import type { Command } from 'commander';
import { configFrom, withConfig } from './options.ts';
import { withServices } from './with-services.ts';

export function addMigrate(program: Command): void {
  withConfig(program.command('migrate'))
    .description('bring the database schema up to this version')
    .action(async (options: Parameters<typeof configFrom>[0]) => {
      const engine = await withServices(await configFrom(options), async ({ database }) => database.dialect);
      console.log(`the schema is up to date (${engine})`);
    });
}
