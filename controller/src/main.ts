#!/usr/bin/env node
/** Process edge of `picket-controller`: arguments in, one line and an exit code out where something is wrong. */
import { Command, CommanderError } from 'commander';
import { addEnrollToken } from './commands/enroll-token.ts';
import { addMigrate } from './commands/migrate.ts';
import { addServe } from './commands/serve.ts';
import { addUsers } from './commands/users.ts';
import { ControllerError, StartFailure, exitCodes } from './errors.ts';
import { version } from './version.ts';

const program = new Command('picket-controller')
  .description('the controller of Picket: API, agents’ doors, broker')
  .version(version)
  .exitOverride();
addServe(program);
addMigrate(program);
addUsers(program);
addEnrollToken(program);
for (const command of [program, ...program.commands.flatMap((child) => [child, ...child.commands])]) {
  command.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Says what is wrong on stderr; the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // it spoke already
  if (error instanceof StartFailure) {
    console.error(`picket-controller: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof ControllerError) {
    console.error(`picket-controller: ${error.message}`);
    return error.code === 'invalid-input' ? exitCodes.data : exitCodes.failed;
  }
  console.error('picket-controller: failed in a way it does not know:', error);
  return exitCodes.failed;
}
