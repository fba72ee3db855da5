/** `picketctl rules`: what gateways do about attacks, and what a rule would have done. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { RuleDryRun } from '@picket/shared/contract/rule-dry-run';
import { StartFailure, exitCodes } from '../errors.ts';
import { addGet, addList, show, type Terminal } from './verbs.ts';
import { formatRows } from './print-rows.ts';

const path = '/api/v1/prevention/rules';
const columns = ['id', 'name', 'is_enabled', 'action', 'min_windows', 'of_windows', 'duration_seconds', 'version'];
const foundColumns = ['times', 'false_times', 'action', 'scope', 'value', 'first_at', 'last_at', 'longest_seconds'];

interface DryRunOptions {
  readonly file?: string;
  readonly days: string;
  readonly limit: string;
  readonly all?: true;
}

interface ExceptOptions {
  readonly class: string[];
  readonly gateway?: string;
}

export function addRules(program: Command, terminal: Terminal): void {
  const rules = program.command('rules').description('prevention rules');
  addList(rules, terminal, path, columns, {});
  addGet(rules, terminal, path);
  rules
    .command('except <device>')
    .description('an exception: of these attacks by or against this device (IP or MAC) a person is told, and no more')
    .requiredOption('--class <class...>', 'port_scan, brute_force_ssh …')
    .option('--gateway <name>', 'only behind this gateway; else wherever a device has this address')
    .action(async (device: string, { class: classes, gateway }: ExceptOptions) => {
      const where = gateway === undefined ? '' : ` behind ${gateway}`;
      await show(terminal, 'POST', path, columns, {
        name: `except ${device}${where}: ${classes.join(', ')}`.slice(0, 100),
        action: 'alert_only',
        classes,
        device,
        gateway_id: gateway ?? null,
      });
    });
  rules
    .command('dry-run [id]')
    .description('what a rule would have restricted in the last days, and how much of it people called wrong since')
    .option('--file <file>', 'a rule that is not there yet, as JSON, in place of an id')
    .option('--days <days>', 'how far back, 1 to 7', '7')
    .option('--limit <rows>', 'at most this many restrictions', '100')
    .option('--all', 'every page')
    .action(async (id: string | undefined, options: DryRunOptions) => {
      const body = { ...(await subjectOf(id, options.file)), days: Number(options.days) };
      const query = new URLSearchParams({ limit: options.limit });
      const items: RuleDryRun['items'] = [];
      for (;;) {
        const page = RuleDryRun.parse(await terminal.api().call('POST', `${path}/dry-run?${query.toString()}`, body));
        items.push(...page.items);
        if (options.all === true && page.next_cursor !== null) {
          query.set('cursor', page.next_cursor);
          continue;
        }
        terminal.print(printed({ ...page, items }, terminal.format()));
        return;
      }
    });
}

function printed(found: RuleDryRun, format: ReturnType<Terminal['format']>): string {
  if (format === 'json') return JSON.stringify(found, null, 2);
  const rows = formatRows(found.items, foundColumns, format);
  if (format === 'csv') return rows;
  const { summary } = found;
  return [
    rows,
    '',
    `${summary.times} times ${summary.restrictions} restrictions, of which ${summary.false_times} times people have called it wrong since`,
    `${summary.windows} windows from ${summary.from} to ${summary.until}${summary.truncated ? ' (there were more)' : ''}; the rule was met ${summary.proven} times`,
    ...(summary.windows_without_flows > 0
      ? [`${summary.windows_without_flows} times no flow was kept to tell whom to restrict`]
      : []),
    ...(summary.refused_times > 0
      ? [
          `${summary.refused_times} times gateways would have refused: their own addresses, their way out, or what is never blocked`,
        ]
      : []),
    ...summary.caveats.map((caveat) => `note: ${caveat}`),
  ].join('\n');
}

async function subjectOf(id: string | undefined, file: string | undefined): Promise<object> {
  if ((id === undefined) === (file === undefined)) {
    throw new StartFailure('say which rule: either its id, or --file with a rule as JSON', exitCodes.usage);
  }
  if (file === undefined) return { rule_id: id };
  try {
    return { rule: JSON.parse(await readFile(file, 'utf8')) as unknown };
  } catch (error) {
    throw new StartFailure(`cannot read a rule from ${file}: ${(error as Error).message}`, exitCodes.data, {
      cause: error,
    });
  }
}
