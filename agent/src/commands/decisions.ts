/** `picket-agent decisions list|explain|add|delete`: what holds on this gateway, and a hand on it. */
import { Command, Option } from 'commander';
import { DecisionAction, DecisionDirection, DecisionScope, maxDecisionSeconds } from '@picket/shared/contract/decision';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { askAgent } from '../control/control-client.ts';
import type { DecisionRequest, Explanations, HeldDecision } from '../control/control-server.ts';
import { AgentError } from '../errors.ts';
import { printTable } from './print-table.ts';
import { stateDirectoryOf, withAgentOptions, type AgentOptions } from './agent-options.ts';

interface AddOptions extends AgentOptions {
  readonly ip?: string;
  readonly scope?: DecisionScope;
  readonly value?: string;
  readonly direction: DecisionDirection;
  readonly action: DecisionAction;
  readonly duration: string;
  readonly reason: string;
}

export function decisionsCommand(): Command {
  const decisions = new Command('decisions').description('what this gateway restricts now');
  decisions.addCommand(
    withAgentOptions(
      new Command('list').description(
        'decisions that should hold, and whether they do (in the kernel; in a replay, on paper)',
      ),
    )
      .option('--json', 'one JSON array')
      .action(list),
  );
  decisions.addCommand(
    withAgentOptions(
      new Command('explain').description(
        'why something is restricted: evidence, rule, who, what the kernel counted, until when',
      ),
    )
      .argument('<id-or-value>', 'an id of `decisions list`, or an address, prefix, MAC or pair')
      .option('--json', 'one JSON object')
      .action(explain),
  );
  decisions.addCommand(
    withAgentOptions(new Command('add').description('restrict something, for a time'))
      .option('--ip <ADDRESS>', 'short for --scope ip --value ADDRESS')
      .addOption(new Option('--scope <SCOPE>').choices(DecisionScope.options))
      .option(
        '--value <VALUE>',
        'what the scope says: an address, 192.0.2.0/24, tcp/22, "192.0.2.1 tcp/22", a MAC, "PEER DEVICE"',
      )
      .addOption(
        new Option('--direction <DIRECTION>', 'seen from the value').choices(DecisionDirection.options).default('both'),
      )
      .addOption(new Option('--action <ACTION>').choices(DecisionAction.options).default('block'))
      .option('--duration <TIME>', '30s, 10m, 4h, 7d', '4h')
      .option('--reason <TEXT>', 'for whoever finds it later', 'added by hand')
      .action(add),
  );
  decisions.addCommand(
    withAgentOptions(new Command('delete').description('lift a decision')).argument('<id-or-value>').action(remove),
  );
  return decisions;
}

async function list(options: AgentOptions & { readonly json?: boolean }): Promise<void> {
  const held = await askAgent<HeldDecision[]>(stateDirectoryOf(options), 'GET', '/decisions');
  if (options.json === true) {
    console.log(JSON.stringify(held));
    return;
  }
  printTable(
    ['ID', 'ORIGIN', 'SCOPE:VALUE', 'ACTION', 'MODE', 'HELD', 'EXPIRES', 'REASON'],
    held.map(({ decision, in_kernel }) => [
      decision.id,
      decision.origin,
      `${decision.scope}:${decision.value}`,
      decision.action,
      decision.mode,
      in_kernel ? 'yes' : 'no',
      decision.expires_at,
      decision.reason,
    ]),
    'nothing is restricted',
  );
}

async function explain(idOrValue: string, options: AgentOptions & { readonly json?: boolean }): Promise<void> {
  const found = await askAgent<Explanations>(
    stateDirectoryOf(options),
    'GET',
    `/decisions/${encodeURIComponent(idOrValue)}`,
  );
  if (options.json === true) {
    console.log(JSON.stringify(found));
    return;
  }
  if (found.decisions.length === 0) {
    const why = found.guarded === null ? '' : `, and nothing may: ${found.guarded}`;
    throw new AgentError('bad-data', `nothing on this gateway restricts ${idOrValue}${why}`);
  }
  const texts = found.decisions.map(({ decision, lines }) => [decision.id, ...lines].join('\n'));
  console.log(texts.join('\n\n'));
}

async function add(options: AddOptions): Promise<void> {
  const scope = options.ip === undefined ? options.scope : 'ip';
  const value = options.ip ?? options.value;
  if (scope === undefined || value === undefined || (options.ip !== undefined && options.value !== undefined)) {
    throw new AgentError('usage', 'say what: either --ip ADDRESS, or --scope SCOPE --value VALUE');
  }
  const request: DecisionRequest = {
    scope,
    value,
    direction: options.direction,
    action: options.action,
    duration_seconds: parseDuration(options.duration),
    reason: options.reason,
  };
  const event = await askAgent<DecisionEvent>(stateDirectoryOf(options), 'POST', '/decisions', request);
  if (event.state === 'refused') {
    throw new AgentError('bad-data', `refused: ${event.detail ?? 'the agent gave no reason'}`);
  }
  if (event.state === 'failed') {
    throw new AgentError(
      'unavailable',
      `failed: ${event.detail ?? 'the agent gave no reason'}; ${event.decision.id} is kept and tried again until ${event.decision.expires_at}`,
    );
  }
  if (event.decision.mode === 'observe') {
    throw new AgentError(
      'unavailable',
      'not held: this gateway only observes; `mode` in its configuration or policy says so',
    );
  }
  console.log(`${event.decision.id} ${event.state} until ${event.decision.expires_at}`);
}

async function remove(idOrValue: string, options: AgentOptions): Promise<void> {
  const stateDirectory = stateDirectoryOf(options);
  const path = (text: string): string => `/decisions/${encodeURIComponent(text)}`;
  const events = await askAgent<DecisionEvent[]>(stateDirectory, 'DELETE', path(idOrValue));
  const values = events.length === 0 ? [idOrValue] : events.map(({ decision }) => decision.value);
  const others = new Map<string, string>();
  for (const value of new Set(values)) {
    const { decisions } = await askAgent<Explanations>(stateDirectory, 'GET', path(value));
    for (const { decision } of decisions) others.set(decision.id, `${decision.scope}:${decision.value}`);
  }
  const stays = [...others].map(([id, what]) => `restricted by ${what}; \`decisions delete ${id}\` lifts that`);
  if (events.length === 0) {
    const why = stays.length === 0 ? '`decisions list` shows them' : `it is ${stays.join(', ')}`;
    throw new AgentError('bad-data', `no decision has the id or value "${idOrValue}"; ${why}`);
  }
  for (const event of events)
    console.log(`${event.decision.id} ${event.state} ${event.decision.scope}:${event.decision.value}`);
  for (const stay of stays) console.log(`still ${stay}`);
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `30s`, `10m`, `4h`, `7d`. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds = match === null ? Number.NaN : Number(match[1]) * (unitSeconds[match[2] ?? ''] ?? Number.NaN);
  if (!(seconds >= 1 && seconds <= maxDecisionSeconds)) {
    throw new AgentError('usage', `--duration: "${text}" is not a time from 1s to 30d; write 30s, 10m, 4h or 7d`);
  }
  return seconds;
}
