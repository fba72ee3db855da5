/** `picketctl decisions`: what is restricted, why, and by hand. */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { StartFailure, exitCodes } from '../errors.ts';
import { addGet, addList, segment, show, type Terminal } from './verbs.ts';

const Explanation = z.object({ lines: z.array(z.string()) });
const columns = ['id', 'origin', 'action', 'scope', 'value', 'expires_at', 'active', 'reason'];

interface DecisionOptions {
  readonly ip?: string;
  readonly range?: string;
  readonly scope?: string;
  readonly value?: string;
  readonly duration: string;
  readonly reason: string;
  readonly action: string;
  readonly direction: string;
  readonly gateway?: string[];
}

export function addDecisions(program: Command, terminal: Terminal): void {
  const decisions = program.command('decisions').description('concrete restrictions, each with an end');
  addList(decisions, terminal, '/api/v1/decisions', columns, {
    active: 'true or false',
    value: 'only this value',
    origin: 'model, rule, analyst or fleet',
    gateway: 'only this gateway',
  });
  addGet(decisions, terminal, '/api/v1/decisions');
  decisions
    .command('add')
    .description('restrict something on every gateway, or on those named')
    .option('--ip <address>', 'an address')
    .option('--range <prefix>', 'a prefix, 192.0.2.0/24')
    .option('--scope <scope>', 'ip, cidr, port, ip+port, device or pair; with --value')
    .option('--value <value>', 'what it applies to, for example "tcp/22"')
    .requiredOption('--duration <time>', '90s, 15m, 4h, 7d')
    .requiredOption('--reason <text>', 'for whoever looks next')
    .addOption(
      new Option('--action <action>').choices(['block', 'rate_limit', 'no_wan', 'quarantine']).default('block'),
    )
    .addOption(new Option('--direction <direction>').choices(['from', 'to', 'both']).default('both'))
    .option('--gateway <name...>', 'only on these gateways')
    .action(async (options: DecisionOptions) => {
      const { duration, reason, action, direction, gateway } = options;
      await show(terminal, 'POST', '/api/v1/decisions', columns, {
        ...targetOf(options),
        duration,
        reason,
        action,
        direction,
        ...(gateway === undefined ? {} : { gateways: gateway }),
      });
    });
  decisions
    .command('explain <id>')
    .description('why it exists, on which evidence, where it holds, and what would undo it')
    .action(async (id: string) => {
      const found = Explanation.parse(await terminal.api().call('GET', `/api/v1/decisions/${segment(id)}/explanation`));
      terminal.print(terminal.format() === 'human' ? found.lines.join('\n') : JSON.stringify(found, null, 2));
    });
  decisions
    .command('delete <id>')
    .description('lift a decision before its end')
    .action(async (id: string) => {
      await terminal.api().call('DELETE', `/api/v1/decisions/${segment(id)}`);
      terminal.print(`${id} is being lifted`);
    });
}

function targetOf({ ip, range, scope, value }: DecisionOptions): { scope: string; value: string } {
  const given = [
    ...(ip === undefined ? [] : [{ scope: 'ip', value: ip }]),
    ...(range === undefined ? [] : [{ scope: 'cidr', value: range }]),
    ...(scope === undefined || value === undefined ? [] : [{ scope, value }]),
  ];
  const [target, ...more] = given;
  if (target === undefined || more.length > 0) {
    throw new StartFailure('say what it applies to: --ip, or --range, or --scope with --value', exitCodes.usage);
  }
  return target;
}
