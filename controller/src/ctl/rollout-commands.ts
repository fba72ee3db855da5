/** `picketctl rollouts`: how changed rules reach the gateways. */
import type { Command } from 'commander';
import { addGet, addList, segment, show, type Terminal } from './verbs.ts';

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
