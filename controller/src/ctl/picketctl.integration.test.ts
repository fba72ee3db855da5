/** `picketctl` as a process against a whole controller. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { addGateway } from '../testing/enrolled-gateway.ts';
import { sampleAlert, sampleBatch } from '../testing/sample-events.ts';
import { startTestController, testPassword, type TestController } from '../testing/test-controller.ts';

const home = mkdtempSync(join(tmpdir(), 'picketctl-'));
const loginFile = join(home, 'picket', 'login.json');
let picket: TestController;
beforeAll(async () => {
  picket = await startTestController();
});
afterAll(async () => {
  await picket[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

async function picketctl(parameters: readonly string[], input = '', more: Record<string, string> = {}) {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@picket/source', main, ...parameters], {
    env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: home, ...more },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  child.stdin.on('error', () => {}); // it may end before it reads
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

test('before log-in it says so; a wrong password and a controller that is away have their own codes', async () => {
  expect(await picketctl(['alerts', 'list'])).toMatchObject({ status: 77, stdout: '' });
  const wrong = await picketctl(['--url', picket.url, 'login', '--username', 'admin'], 'not the password\n');
  expect(wrong).toMatchObject({ status: 77 });
  expect(wrong.stderr).toContain('Incorrect email or password');
  const away = await picketctl(['--url', 'http://127.0.0.1:1', 'login', '--username', 'admin'], `${testPassword}\n`);
  expect(away.status).toBe(69);
  expect(away.stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(loginFile)).toBe(false);
}, 400_000);

test('log-in is kept for its owner only, renews itself, and is forgotten at log-out', async () => {
  const login = await picketctl(['--url', picket.url, 'login', '--username', 'admin'], `${testPassword}\n`);
  expect(login).toMatchObject({ status: 0, stdout: 'logged in as admin (admin)\n' });
  expect(statSync(loginFile).mode & 0o777).toBe(0o600);
  expect(await picketctl(['alerts', 'list'])).toMatchObject({ status: 0, stdout: 'nothing\n' });

  const stored = JSON.parse(readFileSync(loginFile, 'utf8')) as Record<string, string>;
  writeFileSync(loginFile, JSON.stringify({ ...stored, access_token: 'over' }));
  const rules = await picketctl(['-o', 'json', 'rules', 'list']);
  expect(rules.status).toBe(0);
  expect(Array.isArray(JSON.parse(rules.stdout))).toBe(true);
  expect(JSON.parse(readFileSync(loginFile, 'utf8'))).not.toMatchObject({ access_token: 'over' });

  // Elsewhere the token stays at home.
  expect((await picketctl(['--url', 'http://127.0.0.1:1', 'alerts', 'list'])).stderr).toContain('not logged in');
  expect(await picketctl(['logout'])).toMatchObject({ status: 0 });
  expect(existsSync(loginFile)).toBe(false);
}, 400_000);

test('an alert is shown with the command that makes an exception of its device, and that command does', async () => {
  const { tokens } = await picket.as('admin');
  const admin = { PICKET_TOKEN: tokens.access_token, PICKET_URL: picket.url };
  await addGateway(picket.controller.database, 'edge-1');
  const alert = sampleAlert({ class: 'port_scan' });
  const batch = sampleBatch('alerts', [{ kind: 'alert', body: alert }], 1);
  await picket.controller.history.ingestBatch(GatewayId.parse('edge-1'), batch);
  expect((await picketctl(['alerts', 'list'], '', admin)).stdout).toMatch(/^id +raised_at +last_seen_at /);
  const { status, stdout } = await picketctl(['alerts', 'show', alert.id], '', admin);
  expect(status).toBe(0);
  expect(stdout).toContain(alert.message);
  const command = /^ {2}picketctl (rules except .*)$/m.exec(stdout)?.[1];
  expect(command).toBe('rules except 192.168.1.20 --class port_scan --gateway edge-1');
  expect(await picketctl(command!.split(' '), '', admin)).toMatchObject({ status: 0 });
  const [first] = await picket.controller.history.rules.forPolicy(GatewayId.parse('edge-1'));
  expect(first).toMatchObject({
    action: 'alert_only',
    device: '192.168.1.20',
    classes: ['port_scan'],
    is_enabled: true,
  });
  expect((await picketctl(command!.split(' '), '', admin)).stderr).toContain('another rule is called');
}, 400_000);

test('a gateway goes from simulate to enforce by one command of an admin', async () => {
  const gateway = GatewayId.parse('edge-2');
  await addGateway(picket.controller.database, gateway);
  const environmentOf = async (role: 'admin' | 'operator') => ({
    PICKET_TOKEN: (await picket.as(role)).tokens.access_token,
    PICKET_URL: picket.url,
  });
  const modeOf = async () => (await picket.controller.fleet.gateways.get(gateway)).mode;
  expect(await modeOf()).toBe('simulate');
  const enforce = ['gateways', 'mode', 'edge-2', 'enforce'];
  expect((await picketctl(enforce, '', await environmentOf('operator'))).status).toBe(77);
  expect((await picketctl(['gateways', 'mode', 'edge-2', 'panic'], '', await environmentOf('admin'))).status).toBe(64);
  expect(await modeOf()).toBe('simulate');
  const done = await picketctl(enforce, '', await environmentOf('admin'));
  expect(done).toMatchObject({ status: 0, stderr: '' });
  expect(done.stdout).toMatch(/edge-2 .*enforce/);
  expect(await modeOf()).toBe('enforce');
}, 400_000);

test('refusals of the API are one line; usage is 64', async () => {
  const { tokens } = await picket.as('viewer');
  const viewer = { PICKET_TOKEN: tokens.access_token, PICKET_URL: picket.url };
  const add = ['decisions', 'add', '--ip', '203.0.113.66', '--duration', '1h', '--reason', 'seen elsewhere'];
  const forbidden = await picketctl(add, '', viewer);
  expect(forbidden.status).toBe(77);
  expect(forbidden.stderr).toBe('picketctl: this needs the role operator; you have viewer\n');
  expect((await picketctl(['alerts', 'get', 'no-such-id'], '', viewer)).status).toBe(1);
  expect((await picketctl(['decisions', 'add', '--duration', '1h', '--reason', 'x'], '', viewer)).status).toBe(64);
  expect((await picketctl(['decisions', 'add', '--ip', '203.0.113.66'], '', viewer)).status).toBe(64);
  expect((await picketctl(['alerts', 'list', '--limit', '0'], '', viewer)).status).toBe(65);
}, 400_000);
