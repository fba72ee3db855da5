#!/usr/bin/env node
/** Process edge of the agent: arguments, signals, exit code; nothing else. */
import { Command } from 'commander';
import { decisionsCommand } from './commands/decisions.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enrollCommand } from './commands/enroll.ts';
import { flowsCommand } from './commands/flows.ts';
import { replayCommand } from './commands/replay.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { exitCodeOf, explainError } from './errors.ts';
import { agentVersion } from './version.ts';

const program = new Command('picket-agent')
  .description('Watches the packets of an IoT gateway, tells attacks from everyday life, and cuts them off.')
  .version(agentVersion)
  .showHelpAfterError('(--help says more)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 64);
  });

for (const command of [
  runCommand,
  replayCommand,
  flowsCommand,
  enrollCommand,
  statusCommand,
  decisionsCommand,
  doctorCommand,
]) {
  program.addCommand(command());
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(explainError(error));
  process.exitCode = exitCodeOf(error);
}
