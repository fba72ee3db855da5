/** `picket-controller` as a process: what it says, its exit codes, and how it ends. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { WorkingTime } from '../../../.ci/working-time.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-commands-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = ['--conditions=@picket/source', fileURLToPath(new URL('../main.ts', import.meta.url))];
const environment = { PATH: process.env['PATH'], PICKET_METRICS_PORT: '0' };
/** Each of these starts programs, on whatever machine. */
const slow = 900_000;
const freePorts = ['--port', '0', '--agents-port', '0', '--mqtt-port', '0'];

function run(parameters: readonly string[], input = '', more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...parameters], {
    input,
    encoding: 'utf8',
    env: { ...environment, ...more },
    timeout: 180_000,
  });
  return { status, stdout, stderr };
}

function serve(dataDir: string, more: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [...program, 'serve', '--data-dir', dataDir, ...freePorts], {
    env: { ...environment, ...more },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  return { child, output: () => output };
}

test('--check-config says whether the settings are good, and starts nothing', { timeout: slow }, () => {
  expect(run(['serve', '--check-config'])).toMatchObject({ status: 0, stdout: 'the configuration is good\n' });
  writeFileSync(join(folder, 'bad.yaml'), 'htpp:\n  port: 1\n');
  const bad = run(['serve', '--check-config', '--config', join(folder, 'bad.yaml')]);
  expect(bad.status).toBe(78);
  expect(bad.stderr).toBe(`picket-controller: configuration: unknown setting htpp in ${join(folder, 'bad.yaml')}\n`);
});

test('wrong usage is 64, a folder that cannot be made 73, a database that is away 69', { timeout: slow }, () => {
  expect(run(['serve', '--bogus']).status).toBe(64);
  writeFileSync(join(folder, 'file'), '');
  const inTheWay = run(['serve', '--data-dir', join(folder, 'file', 'x'), ...freePorts]);
  expect(inTheWay.status).toBe(73);
  expect(inTheWay.stderr.trim().split('\n')).toHaveLength(1);
  const away = run(['migrate', '--data-dir', folder], '', { PICKET_DATABASE_URL: 'postgres://u:secret@127.0.0.1:1/p' });
  expect(away.status).toBe(69);
  expect(away.stderr).toContain('database_url');
  expect(away.stderr).not.toContain('secret');
});

test('a port that is taken is one line and 69', { timeout: slow }, async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const answer = run(['serve', '--data-dir', join(folder, 'busy'), ...freePorts, '--port', String(port)]);
  taken.close();
  expect(answer.status).toBe(69);
  expect(answer.stderr).toBe(
    `picket-controller: 127.0.0.1:${port} is taken by another program; end it or set http.port (--port) to a free port\n`,
  );
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends it cleanly within 5 s; the first password is said once',
  async (signal) => {
    const dataDir = join(folder, signal);
    const { child, output } = serve(dataDir);
    await expect.poll(output, { timeout: 120_000 }).toContain('"msg":"ready"');
    // another stream, which may be read later
    await expect
      .poll(output, { timeout: 120_000 })
      .toMatch(/first account {3}admin\npassword {8}\S{20} {3}\(shown this once\)/);
    using working = WorkingTime.start();
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(working.ms).toBeLessThan(5000);

    const again = serve(dataDir);
    await expect.poll(again.output, { timeout: 120_000 }).toContain('"msg":"ready"');
    again.child.kill('SIGTERM');
    await once(again.child, 'close');
    expect(again.output()).not.toContain('password');
  },
  slow,
);

test(
  'people are added, listed and given a new password beside a running controller',
  async () => {
    const dataDir = join(folder, 'people');
    const at = ['--data-dir', dataDir];
    const { child, output } = serve(dataDir, { PICKET_ADMIN_PASSWORD: 'a password of the owner' });
    await expect.poll(output, { timeout: 120_000 }).toContain('"msg":"ready"');
    expect(output()).not.toContain('a password of the owner');
    expect(run(['users', 'add', 'Ada', '--role', 'operator', ...at], 'a good long password\n').status).toBe(0);
    expect(run(['users', 'add', 'ada', ...at], 'a good long password\n')).toMatchObject({ status: 1 });
    expect(run(['users', 'add', 'bob', ...at], 'short\n')).toMatchObject({ status: 65 });
    expect(run(['users', 'list', ...at]).stdout).toBe('ada\toperator\tactive\tnever\nadmin\tadmin\tactive\tnever\n');
    expect(run(['users', 'passwd', 'ada', ...at], 'another long password\n').status).toBe(0);
    const url = /"url":"(http:[^"]+)"/.exec(output())?.[1];
    const logIn = (password: string): Promise<Response> =>
      fetch(`${url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'ada', password }),
      });
    expect((await logIn('a good long password')).status).toBe(401);
    expect((await logIn('another long password')).status).toBe(200);

    const token = run(['enroll-token', ...at, '--minutes', '5']);
    expect(token.status).toBe(0);
    expect(token.stdout).toMatch(/^pk1\.[\w.-]+\n$/);
    expect(run(['enroll-token', ...at, '--gateway-id', 'Not A Name']).status).toBe(64);
    child.kill('SIGTERM');
    await once(child, 'exit');
  },
  slow,
);
