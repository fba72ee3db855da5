#!/usr/bin/env node
/** Process edge of `picketctl`: the controller's API from a terminal. */
import { Command, CommanderError, Option } from 'commander';
import { StartFailure, exitCodes } from '../errors.ts';
import { version } from '../version.ts';
import { addAlerts } from './alert-commands.ts';
import { ApiClient } from './api-client.ts';
import { addDecisions } from './decision-commands.ts';
import { addFleet } from './fleet-commands.ts';
import { addModels } from './model-commands.ts';
import type { OutputFormat } from './print-rows.ts';
import { readPassword } from './read-password.ts';
import { addRollouts } from './rollout-commands.ts';
import { addRules } from './rule-commands.ts';
import { forgetLogin, loginFile } from './stored-login.ts';
import { addUnblocks } from './unblock-commands.ts';
import type { Terminal } from './verbs.ts';

const program = new Command('picketctl')
  .description('the API of a Picket controller from a terminal')
  .version(version)
  .addOption(
    new Option('--url <address>', 'the controller (default: where you logged in, or http://127.0.0.1:8000)').env(
      'PICKET_URL',
    ),
  )
  .addOption(
    new Option('-o, --output <format>', 'how answers look').choices(['human', 'json', 'csv']).default('human'),
  );

const file = loginFile(process.env);
const terminal: Terminal = {
  api: () =>
    new ApiClient({
      url: program.opts<{ url?: string }>().url?.replace(/\/+$/, ''),
      token: process.env['PICKET_TOKEN'] || undefined,
      loginFile: file,
    }),
  format: () => program.opts<{ output: OutputFormat }>().output,
  print: (text) => console.log(text),
};

program
  .command('login')
  .description(`log in and keep the tokens in ${file}`)
  .requiredOption('--username <name>', 'user name or e-mail address')
  .action(async ({ username }: { username: string }) => {
    const { user } = await terminal.api().logIn(username, await readPassword('Password: '));
    terminal.print(`logged in as ${user.username} (${user.role})`);
  });
program
  .command('logout')
  .description('end the session and forget its tokens')
  .action(async () => {
    await terminal.api().call('POST', '/api/v1/auth/logout');
    await forgetLogin(file);
    terminal.print('logged out');
  });
addAlerts(program, terminal);
addDecisions(program, terminal);
addUnblocks(program, terminal);
addRollouts(program, terminal);
addFleet(program, terminal);
addRules(program, terminal);
addModels(program, terminal);
for (const command of [program, ...program.commands.flatMap((child) => [child, ...child.commands])]) {
  command.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // it spoke already
  } else {
    const isKnown = error instanceof StartFailure;
    console.error('picketctl:', isKnown ? error.message : error);
    process.exitCode = isKnown ? error.exitCode : exitCodes.failed;
  }
}
