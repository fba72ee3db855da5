import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StartFailure, exitCodes } from '../errors.ts';
import { listenHost } from './listen-host.ts';
import { loadConfig, settingNames, variableOf, type ConfigSources } from './load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, name = 'controller.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function failure(sources: ConfigSources): Promise<StartFailure> {
  try {
    await loadConfig(sources);
  } catch (error) {
    if (error instanceof StartFailure) return error;
    throw error;
  }
  throw new Error('was accepted');
}

test('without any source everything is on loopback, on SQLite, in ./.picket', async () => {
  expect(await loadConfig({ environment: {} })).toMatchObject({
    data_dir: './.picket',
    http: { port: 8000 },
    agents_https: { port: 8443 },
    mqtt: { port: 8883 },
    metrics: { enabled: true, host: '127.0.0.1', port: 9464 },
    access_token_minutes: 10,
    public_host: [],
    cors_origins: [],
  });
});

test('what nobody chose listens on loopback, with a public name everywhere; what was chosen stays', async () => {
  const hostOf = async (flags: Record<string, unknown>): Promise<string> => {
    const { http, public_host: names } = await loadConfig({ environment: {}, flags });
    return listenHost(http.host, names);
  };
  expect(await hostOf({})).toBe('127.0.0.1');
  expect(await hostOf({ public_host: ['picket.example.net'] })).toBe('0.0.0.0');
  expect(await hostOf({ public_host: ['picket.example.net'], 'http.host': '127.0.0.1' })).toBe('127.0.0.1');
  expect(await hostOf({ 'http.host': '192.0.2.1' })).toBe('192.0.2.1');
});

test('the environment wins over the file, the command line over both', async () => {
  const config = await loadConfig({
    file: file('http:\n  port: 1001\nagents_https: {port: 1002}\nmqtt: {port: 1003}\npublic_host: [a.example]\n'),
    environment: {
      PICKET_AGENTS_HTTPS_PORT: '2002',
      PICKET_MQTT_PORT: '2003',
      PICKET_PUBLIC_HOST: 'b.example, c.example',
    },
    flags: { 'mqtt.port': '3003', 'http.port': undefined },
  });
  expect([config.http.port, config.agents_https.port, config.mqtt.port]).toEqual([1001, 2002, 3003]);
  expect(config.public_host).toEqual(['b.example', 'c.example']);
});

test('secrets come from files too; DATABASE_URL is known by its usual name', async () => {
  const path = file('postgres://u:p@db/picket\n', 'secret');
  expect((await loadConfig({ environment: { PICKET_DATABASE_URL_FILE: path } })).database_url).toBe(
    'postgres://u:p@db/picket',
  );
  expect((await loadConfig({ environment: { DATABASE_URL: 'postgres://x/y' } })).database_url).toBe('postgres://x/y');
  const both = await loadConfig({
    environment: { DATABASE_URL: 'postgres://x/y', PICKET_DATABASE_URL: 'postgres://ours/y' },
  });
  expect(both.database_url).toBe('postgres://ours/y');
  const broker = await loadConfig({ environment: { PICKET_BROKER_URL: 'mqtts://broker.example' } });
  expect(broker.mqtt.broker_url).toBe('mqtts://broker.example');
  expect((await failure({ environment: { PICKET_ADMIN_PASSWORD_FILE: join(folder, 'none') } })).message).toContain(
    'PICKET_ADMIN_PASSWORD_FILE',
  );
});

test('what is unknown or wrong is named, with where it came from', async () => {
  const unknown = await failure({ file: file('http:\n  prot: 80\nhtpp: {}\n'), environment: {} });
  expect(unknown.exitCode).toBe(exitCodes.config);
  expect(unknown.message).toContain('unknown setting http.prot');
  expect(unknown.message).toContain('unknown setting htpp');
  expect((await failure({ environment: { PICKET_HTTP_PORT: '80000' } })).message).toMatch(
    /http\.port from PICKET_HTTP_PORT: /,
  );
  expect((await failure({ environment: { PICKET_ADMIN_PASSWORD: 'short' } })).message).not.toContain('short');
  expect((await failure({ environment: {}, flags: { 'http.port': 'x' } })).message).toContain('the command line');
});

test('a file that is absent, no YAML or no settings is refused', async () => {
  expect((await failure({ file: join(folder, 'none.yaml'), environment: {} })).message).toContain('no such file');
  expect((await failure({ file: file('a: [1\n'), environment: {} })).message).toContain('not YAML');
  expect((await failure({ file: file('a: 1\na: 2\n'), environment: {} })).message).toContain('not YAML');
  expect((await failure({ file: file('- 1\n'), environment: {} })).message).toContain('holds no settings');
});

test('every setting has one variable', () => {
  const variables = settingNames().map(variableOf);
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables).toContain('PICKET_MQTT_BROKER_URL');
  expect(variables).toContain('PICKET_RATE_LIMIT_LOGINS_PER_MINUTE');
});
