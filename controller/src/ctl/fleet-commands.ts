/** `picketctl gateways` and `devices`: who is there. */
import type { Command } from 'commander';
import { addGet, addList, type Terminal } from './verbs.ts';

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
