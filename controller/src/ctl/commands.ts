/** The nouns and verbs of `picketctl`, each a call of the HTTP API. */
import { setTimeout } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { StartFailure, exitCodes } from '../errors.ts';
import type { ApiClient, Method } from './api-client.ts';
import { formatRows, type OutputFormat, type Row } from './print-rows.ts';

/** What every command needs, asked at the time it runs: options are known only then. */
export interface Terminal {
  api(): ApiClient;
  format(): OutputFormat;
  print(text: string): void;
}

const Page = z.object({ items: z.array(z.record(z.string(), z.unknown())), next_cursor: z.string().nullable() });
const Item = z.record(z.string(), z.unknown());
const Explanation = z.object({ lines: z.array(z.string()) });

const alertColumns = [
  'id',
  'last_seen_at',
  'severity',
  'attack_type',
  'device_name',
  'peer',
  'score',
  'status',
  'action_taken',
];
const decisionColumns = ['id', 'origin', 'action', 'scope', 'value', 'expires_at', 'active', 'reason'];

export function addAlerts(program: Command, terminal: Terminal): void {
  const alerts = program.command('alerts').description('what people should see');
  addList(alerts, terminal, '/api/v1/alerts', alertColumns, {
    status: 'active, acknowledged, investigating, resolved or false_positive',
    severity: 'low, medium, high or critical',
    attack_type: 'a class, for example port_scan',
    time_range: '1h, 6h, 24h, 7d, 30d or all',
  });
  addGet(alerts, terminal, '/api/v1/alerts');
  alerts
    .command('acknowledge <id>')
    .description('say that you have seen it')
    .option('--note <text>', 'for whoever looks next')
    .action(async (id: string, { note }: { note?: string }) => {
      const body = note === undefined ? {} : { note };
      await show(terminal, 'PATCH', `/api/v1/alerts/${segment(id)}/acknowledge`, alertColumns, body);
    });
  alerts
    .command('resolve <id>')
    .description('close it')
    .option('--false-positive', 'there was no attack')
    .option('--notes <text>', 'why')
    .action(async (id: string, { falsePositive, notes }: { falsePositive?: boolean; notes?: string }) => {
      const resolution = falsePositive === true ? 'false_positive' : 'resolved';
      await terminal.api().call('POST', `/api/v1/alerts/${segment(id)}/resolve`, {
        resolution,
        ...(notes === undefined ? {} : { notes }),
      });
      terminal.print(`${id} is ${resolution.replace('_', ' ')}`);
    });
}

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
  addList(decisions, terminal, '/api/v1/decisions', decisionColumns, {
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
      await show(terminal, 'POST', '/api/v1/decisions', decisionColumns, {
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

const answerColumns = ['gateway_id', 'state', 'at', 'removed_count', 'removed', 'still_held', 'detail'];

export function addUnblocks(program: Command, terminal: Terminal): void {
  const path = '/api/v1/unblocks';
  const unblocks = program.command('unblocks').description('addresses released across the fleet, with proof');
  addList(unblocks, terminal, path, ['id', 'value', 'asked_by', 'asked_at', 'done', 'owing', 'reason'], {});
  addGet(unblocks, terminal, path);
  unblocks
    .command('add <value>')
    .description('release an address, prefix or MAC on every gateway, and print what each one proved')
    .requiredOption('--reason <text>', 'for whoever looks next')
    .option('--include-prefixes', 'also lift prefixes that reach beyond the value')
    .option('--gateway <name...>', 'only on these gateways')
    .option('--wait <seconds>', 'for the proofs of gateways that are there', '10')
    .action(async (value: string, options: UnblockOptions) => {
      const { reason, includePrefixes, gateway, wait } = options;
      const until = Date.now() + Number(wait) * 1000;
      let unblock = Unblock.parse(
        await terminal.api().call('POST', path, {
          value,
          reason,
          include_prefixes: includePrefixes === true,
          ...(gateway === undefined ? {} : { gateways: gateway }),
        }),
      );
      while (!unblock.done && Date.now() < until) {
        await setTimeout(500);
        unblock = Unblock.parse(await terminal.api().call('GET', `${path}/${segment(unblock.id)}`));
      }
      const rows = unblock.gateways.map((row) => ({
        ...row,
        removed: valuesOf(row['removed']),
        still_held: valuesOf(row['still_held']),
      }));
      terminal.print(
        terminal.format() === 'json'
          ? JSON.stringify(unblock, null, 2)
          : formatRows(rows, answerColumns, terminal.format()),
      );
    });
}

interface UnblockOptions {
  readonly reason: string;
  readonly includePrefixes?: boolean;
  readonly gateway?: string[];
  readonly wait: string;
}

const Unblock = z.looseObject({ id: z.string(), done: z.boolean(), gateways: z.array(Item) });

function valuesOf(decisions: unknown): string {
  const named = z.array(z.object({ value: z.string() })).safeParse(decisions);
  return named.success ? named.data.map(({ value }) => value).join(', ') : '';
}

export function addRollouts(program: Command, terminal: Terminal): void {
  const path = '/api/v1/rollouts';
  const columns = ['id', 'state', 'wave', 'waiting', 'started_by', 'started_at', 'detail'];
  const rollouts = program.command('rollouts').description('how changed rules reach the gateways, wave by wave');
  addList(rollouts, terminal, path, columns, {});
  addGet(rollouts, terminal, path);
  rollouts
    .command('begin')
    .description('roll out the rules as they are now; a change of a rule does so by itself')
    .action(() => show(terminal, 'POST', path, columns, {}));
  for (const [verb, description] of [
    ['resume', 'go on after a gateway fell silent'],
    ['abort', 'every gateway gets back the rules it had'],
  ] as const)
    rollouts
      .command(`${verb} <id>`)
      .description(description)
      .action((id: string) => show(terminal, 'POST', `${path}/${segment(id)}/${verb}`, columns, {}));
}

export function addFleet(program: Command, terminal: Terminal): void {
  const gateways = program.command('gateways').description('hosts that run an agent');
  addList(gateways, terminal, '/api/v1/gateways', ['id', 'status', 'mode', 'agent_version', 'presence_changed_at'], {});
  addGet(gateways, terminal, '/api/v1/gateways');
  const devices = program.command('devices').description('things on the gateways’ LANs');
  const deviceColumns = ['id', 'name', 'ip_address', 'gateway_id', 'status', 'threat_count_today', 'last_seen_at'];
  addList(devices, terminal, '/api/v1/devices', deviceColumns, {
    status: 'online, offline, quarantined or under_attack',
  });
  addGet(devices, terminal, '/api/v1/devices');
}

export function addList(
  noun: Command,
  terminal: Terminal,
  path: string,
  columns: readonly string[],
  filters: Readonly<Record<string, string>>,
): void {
  const list = noun
    .command('list')
    .description('newest first')
    .option('--limit <rows>', 'at most this many', '100')
    .option('--all', 'every page');
  for (const [filter, text] of Object.entries(filters))
    list.option(`--${filter.replaceAll('_', '-')} <${filter}>`, text);
  list.action(async (options: Record<string, string | true>) => {
    const query = new URLSearchParams({ limit: String(options['limit']) });
    for (const filter of Object.keys(filters)) {
      const value = options[filter.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
      if (typeof value === 'string') query.set(filter, value);
    }
    const rows: Row[] = [];
    for (;;) {
      const page = Page.parse(await terminal.api().call('GET', `${path}?${query.toString()}`));
      rows.push(...page.items);
      if (options['all'] !== true || page.next_cursor === null) break;
      query.set('cursor', page.next_cursor);
    }
    terminal.print(formatRows(rows, columns, terminal.format()));
  });
}

export function addGet(noun: Command, terminal: Terminal, path: string): void {
  noun
    .command('get <id>')
    .description('all about one')
    .action(async (id: string) => {
      const item = Item.parse(await terminal.api().call('GET', `${path}/${segment(id)}`));
      if (terminal.format() === 'csv') terminal.print(formatRows([item], [], 'csv'));
      else terminal.print(JSON.stringify(item, null, 2));
    });
}

export async function show(
  terminal: Terminal,
  method: Method,
  path: string,
  columns: readonly string[],
  body: unknown,
): Promise<void> {
  const item = Item.parse(await terminal.api().call(method, path, body));
  terminal.print(
    formatRows(
      [item],
      columns.filter((column) => column in item),
      terminal.format(),
    ),
  );
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

/** An id becomes one path segment, whatever was typed. */
export function segment(id: string): string {
  return encodeURIComponent(id);
}
