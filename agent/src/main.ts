#!/usr/bin/env node
/** Process edge of the agent: arguments, signals, exit code; nothing else. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { exitCodeOf, explainError } from './errors.ts';
import { agentVersion } from './version.ts';

// Where bin/with-node.mjs keeps it, for who calls Node himself. Coverage is less precise with it.
if (process.env.NODE_V8_COVERAGE === undefined) {
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
}

const program = new Command('picket-agent')
  .description('Watches the packets of an IoT gateway, tells attacks from everyday life, and cuts them off.')
  .version(agentVersion)
  .showHelpAfterError('(--help says more)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 64);
  });

/** Each is loaded when it is asked for: `flows` on a short capture would spend most of its time on loading the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  flows: async () => (await import('./commands/flows.ts')).flowsCommand(),
  enroll: async () => (await import('./commands/enroll.ts')).enrollCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  decisions: async () => (await import('./commands/decisions.ts')).decisionsCommand(),
  'fail-open': async () => (await import('./commands/fail-open.ts')).failOpenCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
};

const asked = process.argv[2] ?? '';
for (const name of Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands)) {
  const command = await commands[name]!();
  adopt(command, program);
  program.addCommand(command);
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(explainError(error));
  process.exitCode = exitCodeOf(error);
}

/** A command that was made elsewhere says what was wrong with its call as the program does, and ends like it. */
function adopt(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) adopt(child, command);
}
