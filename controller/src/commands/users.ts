/** `picket-controller users add|passwd|list`: people, from the terminal of the host. Passwords come by stdin, never by argument. */
import { Argument, Option, type Command } from 'commander';
import { Role } from '@picket/shared/contract/access';
import { readPassword } from '../ctl/read-password.ts';
import { configFrom, withConfig } from './options.ts';
import { operatorAtTerminal, withServices } from './with-services.ts';

type ConfigOptions = Parameters<typeof configFrom>[0];

export function addUsers(program: Command): void {
  const users = program.command('users').description('the people who may log in');
  withConfig(users.command('add'))
    .description('add a person; the password is the first line of stdin')
    .addArgument(new Argument('<username>'))
    .addOption(new Option('--role <role>', 'what they may do').choices(Role.options).default('viewer'))
    .option('--email <address>', 'to log in with instead of the user name')
    .action(async (username: string, options: ConfigOptions & { role: Role; email?: string }) => {
      const config = await configFrom(options);
      const password = await readPassword('Password: ');
      await withServices(config, ({ access }) =>
        access.users.create(
          { username, email: options.email ?? null, password, role: options.role },
          operatorAtTerminal,
        ),
      );
      console.log(`${username.toLowerCase()} may log in as ${options.role}`);
    });
  withConfig(users.command('passwd'))
    .description('set a new password, the first line of stdin; every session of this person ends')
    .argument('<username>')
    .action(async (username: string, options: ConfigOptions) => {
      const config = await configFrom(options);
      const password = await readPassword('Password: ');
      await withServices(config, async ({ access }) => {
        const user = await access.users.byUsername(username);
        await access.users.setPassword(user, password, operatorAtTerminal);
        await access.sessions.endAll(user.id, undefined, 'password set at the terminal');
      });
      console.log(`${username} has a new password; every session ended`);
    });
  withConfig(users.command('list'))
    .description('who there is')
    .action(async (options: ConfigOptions) => {
      const people = await withServices(await configFrom(options), ({ access }) => access.users.list());
      for (const { username, role, is_active, last_login } of people) {
        console.log([username, role, is_active ? 'active' : 'closed', last_login ?? 'never'].join('\t'));
      }
    });
}
