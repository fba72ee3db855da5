/** `picketctl alerts`: what people should see, and what they did about it. */
import type { Command } from 'commander';
import { AlertDetail } from '@picket/shared/contract/stored-alert';
import { alertWords } from './alert-words.ts';
import { addGet, addList, segment, show, type Terminal } from './verbs.ts';

const columns = [
  'id',
  'raised_at',
  'last_seen_at',
  'severity',
  'attack_type',
  'device_name',
  'peer',
  'score',
  'status',
  'action_taken',
];

export function addAlerts(program: Command, terminal: Terminal): void {
  const alerts = program.command('alerts').description('what people should see');
  addList(
    alerts,
    terminal,
    '/api/v1/alerts',
    columns,
    {
      status: 'active, acknowledged, investigating, resolved or false_positive',
      severity: 'low, medium, high or critical',
      attack_type: 'a class, for example port_scan',
      time_range: '1h, 6h, 24h, 7d, 30d or all',
    },
    'what asked for eyes last first',
  );
  addGet(alerts, terminal, '/api/v1/alerts');
  alerts
    .command('show <id>')
    .description('one in words, and what to do where the host is meant to do this')
    .action(async (id: string) => {
      const alert = AlertDetail.parse(await terminal.api().call('GET', `/api/v1/alerts/${segment(id)}`));
      terminal.print(alertWords(alert));
    });
  alerts
    .command('acknowledge <id>')
    .description('say that you have seen it')
    .option('--note <text>', 'for whoever looks next')
    .action(async (id: string, { note }: { note?: string }) => {
      const body = note === undefined ? {} : { note };
      await show(terminal, 'PATCH', `/api/v1/alerts/${segment(id)}/acknowledge`, columns, body);
    });
  alerts
    .command('resolve <id>')
    .description('close it; open again when its attack comes back')
    .option('--false-positive', 'there was no attack: it stays closed when the same comes back')
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
