/** `picketctl gateways` and `devices`: who is there, and what a gateway does with decisions. */
import { Argument, type Command } from 'commander';
import { Mode } from '@picket/shared/contract/decision';
import { addGet, addList, segment, show, type Terminal } from './verbs.ts';

export function addFleet(program: Command, terminal: Terminal): void {
  const path = '/api/v1/gateways';
  const gatewayColumns = ['id', 'status', 'mode', 'agent_version', 'presence_changed_at'];
  const gateways = program.command('gateways').description('hosts that run an agent');
  addList(gateways, terminal, path, gatewayColumns, {}, 'by name');
  addGet(gateways, terminal, path);
  gateways
    .command('mode <id>')
    .description('what a gateway does with decisions; `get` shows when it has it (twin.policy)')
    .addArgument(new Argument('<mode>', 'simulate: counted, nothing dropped').choices(Mode.options))
    .action((id: string, mode: Mode) => show(terminal, 'PATCH', `${path}/${segment(id)}`, gatewayColumns, { mode }));
  const devices = program.command('devices').description('things on the gateways’ LANs');
  const deviceColumns = ['id', 'name', 'ip_address', 'gateway_id', 'status', 'threat_count_today', 'last_seen_at'];
  addList(devices, terminal, '/api/v1/devices', deviceColumns, {
    status: 'online, offline, quarantined or under_attack',
  });
  addGet(devices, terminal, '/api/v1/devices');
}
