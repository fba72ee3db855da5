/** What a stranger does: `npm start`, watch, log in, read the alert, add a decision, stop, start again. No root, no packages. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { RunningProgram, eventually } from '../../models/range/running-program.ts';

const password = 'a password only this test knows';
let directory: string;
let command: readonly [string, ...string[]];
let api: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'picket-start-'));
  const [port, agentsPort, mqttPort] = [await freePort(), await freePort(), await freePort()];
  api = `http://127.0.0.1:${port}`;
  // what `npm start` runs; npm itself would answer the signal with a death of its own
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const [program = '', ...script] = scripts.start.split(' ');
  command = [
    program,
    ...script,
    '--data-dir',
    directory,
    '--port',
    String(port),
    '--agents-port',
    String(agentsPort),
    '--mqtt-port',
    String(mqttPort),
  ];
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function logIn(): Promise<Record<string, string>> {
  const response = await fetch(`${api}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  expect(response.status).toBe(200);
  const { access_token } = (await response.json()) as { access_token: string };
  return { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
}

async function get<T>(path: string, headers: Record<string, string>): Promise<T> {
  const response = await fetch(`${api}/api/v1${path}`, { headers });
  expect(response.status, `GET ${path}`).toBe(200);
  return (await response.json()) as T;
}

interface AlertPage {
  readonly items: readonly { readonly id: string; readonly attack_type: string }[];
}
interface AlertDetail {
  readonly explanation: { readonly top_features: unknown[] } | null;
  readonly evidence: readonly unknown[];
}

test(
  'an attack in real packets is named, explained and blocked in simulation, and history survives a restart',
  { timeout: 600_000 },
  async () => {
    let firstAlert: string;
    {
      await using picket = RunningProgram.start(command, { PICKET_ADMIN_PASSWORD: password, PICKET_METRICS_PORT: '0' });
      await picket.untilPrinted(/API reference\s+http/, 120_000);
      await picket.untilPrinted(/(critical|high).*(port_scan|brute_force|ddos_flood)/i, 180_000);
      const headers = await logIn();

      const { items } = await get<AlertPage>('/alerts', headers);
      const alert = items.at(-1)!;
      firstAlert = alert.id;
      expect(alert.attack_type).not.toBe('benign');
      const { explanation, evidence } = await get<AlertDetail>(`/alerts/${alert.id}`, headers);
      expect(explanation?.top_features).toHaveLength(10);
      expect(evidence.length).toBeGreaterThan(0);
      expect((await fetch(`${api}/docs`)).status).toBe(200);

      const added = await fetch(`${api}/api/v1/decisions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({
          scope: 'ip',
          value: '203.0.113.66',
          action: 'block',
          duration: 600,
          reason: 'seen elsewhere',
        }),
      });
      expect(added.status).toBe(202);
      const { id } = (await added.json()) as { id: string };
      await eventually(
        () => get<{ gateways: readonly { state: string }[] }>(`/decisions/${id}`, headers),
        ({ gateways }) => gateways.length > 0 && gateways.every(({ state }) => state === 'simulated'),
        60_000,
      );
      expect(await picket.stop('SIGINT')).toBeLessThan(5000);
      expect(picket.exitCode).toBe(0);
    }
    await using again = RunningProgram.start(command, { PICKET_METRICS_PORT: '0' });
    await again.untilPrinted(/API reference\s+http/, 120_000);
    const { items } = await get<AlertPage>('/alerts?limit=1000', await logIn());
    expect(items.map(({ id }) => id)).toContain(firstAlert);
  },
);
