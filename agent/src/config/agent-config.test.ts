import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultLanPrefixes } from '../devices/lan-prefixes.ts';
import { defaultReportPace } from '../flow/report-pace.ts';
import { loadAgentConfig, parseAgentConfig } from './agent-config.ts';

const live = { capture: { source: 'live', interface: 'br-lan' } };

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'picket-config-')), 'agent.yaml');
  writeFileSync(path, text);
  return path;
}

test('a new gateway simulates: nothing is cut until somebody says so', () => {
  expect(parseAgentConfig(live, 'test').mode).toBe('simulate');
});

test('an unknown key is refused by name', () => {
  expect(() => parseAgentConfig({ ...live, moode: 'enforce' }, 'agent.yaml')).toThrow(/agent\.yaml: .*moode/);
});

test('a wrong value is refused with its path', () => {
  expect(() => parseAgentConfig({ capture: { source: 'live', interface: 'eth0; reboot' } }, 'agent.yaml')).toThrow(
    /capture\.interface: an interface name/,
  );
});

test('the environment overrides the file, level by level', () => {
  const path = file('capture: { source: live, interface: eth0 }\n');
  const config = loadAgentConfig(path, {
    PICKET_AGENT_CAPTURE__INTERFACE: 'eth7',
    PICKET_AGENT_MODE: 'observe',
    PICKET_AGENT_FLOW__CAPACITY: '2048',
  });
  expect(config).toMatchObject({ capture: { interface: 'eth7' }, mode: 'observe', flow: { capacity: 2048 } });
});

test('a missing file and a file that is not YAML are told apart', () => {
  expect(() => loadAgentConfig('/nowhere/agent.yaml', {})).toThrow(/cannot read the configuration/);
  expect(() => loadAgentConfig(file('a: [1'), {})).toThrow(/is not YAML/);
});

test('a rule written by hand gets the rest from the defaults', () => {
  const [rule] = parseAgentConfig(
    { ...live, rules: [{ name: 'cut scans', classes: ['port_scan'], action: 'block', duration_seconds: 30 }] },
    'test',
  ).rules;
  expect(rule).toMatchObject({ min_windows: 2, of_windows: 3, duration_seconds: 30, is_enabled: true });
});

test('a rule that could never act is refused', () => {
  const load = (windows: object): unknown =>
    parseAgentConfig({ ...live, rules: [{ name: 'mine', action: 'block', ...windows }] }, 'test');
  expect(() => load({ min_windows: 4 })).toThrow(/rules\.0\.min_windows: at most of_windows/);
  expect(() => load({ of_windows: 1 })).toThrow(/rules\.0\.min_windows/);
  expect(load({ of_windows: 2 })).toMatchObject({ rules: [{ min_windows: 2, of_windows: 2 }] });
});

test('what nobody sets is what the stages take for granted', () => {
  const { lan_prefixes, flow } = parseAgentConfig(live, 'test');
  expect(lan_prefixes).toEqual(defaultLanPrefixes);
  expect(flow).toEqual({
    capacity: null,
    first_report_ms: defaultReportPace.firstUs / 1000,
    first_report_packets: defaultReportPace.firstPackets,
    report_interval_ms: defaultReportPace.intervalUs / 1000,
  });
});

test.each([
  [{ guard: { never_block: ['192.168.1.5', '0.0.0.0/0'] } }, 'guard.never_block.1: 0.0.0.0/0 is too wide'],
  [{ guard: { admin_prefixes: ['::/0'] } }, 'guard.admin_prefixes.0: ::/0 is too wide'],
  [{ rules: [{ name: 'all', action: 'block', threshold: 0 }] }, 'rules.0.threshold: at least 0.01'],
  [{ model: { threshold: 0 } }, 'model.threshold: at least 0.01'],
])('what would protect nobody, or cut everybody, is refused by its field: %j', (settings, reason) => {
  expect(() => parseAgentConfig({ ...live, ...settings }, 'test')).toThrow(reason);
});

test('the networks of the owner may be listed, however wide', () => {
  const guard = { admin_prefixes: ['10.0.0.0/8', 'fc00::/7'], never_block: ['192.168.0.0/16', '203.0.113.7'] };
  expect(parseAgentConfig({ ...live, guard }, 'test').guard).toMatchObject(guard);
});
