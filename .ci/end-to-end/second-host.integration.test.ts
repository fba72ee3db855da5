/** An agent on another host joins by the five commands of the README, between two network namespaces. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../models/range/link.ts';
import { Namespace } from '../../models/range/namespace.ts';
import { requireSystem } from '../require-system.ts';
import { RunningProgram, eventually } from '../../models/range/running-program.ts';

const canRun = requireSystem('root', 'ip', 'nft', 'tcpdump', 'curl');
const root = fileURLToPath(new URL('../..', import.meta.url));
const controllerAddress = '198.51.100.1';
const password = 'a password only this test knows';

/** The commands under “On a gateway”, as they stand there. */
function readmeCommands(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /## On a gateway[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  return block.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** What npm would run, without asking npm: the namespaces have no way to a registry. */
function asProgram(command: string, words: Readonly<Record<string, string>>): string[] {
  const [, name, rest] = /^(?:sudo )?npm run -s (picket-\w+) -- (.*?)(?: &)?$/.exec(command) ?? [];
  if (name === undefined || rest === undefined) throw new Error(`not a command of ours: ${command}`);
  const main = name === 'picket-agent' ? 'agent/src/main.ts' : 'controller/src/main.ts';
  const args = rest.split(/\s+/).map((word) => words[word] ?? word);
  return [process.execPath, '--conditions=@picket/source', join(root, main), ...args];
}

describe.skipIf(!canRun)('a second host', () => {
  let folder: string;
  let resources: AsyncDisposableStack;
  let controllerHost: Namespace;
  let gatewayHost: Namespace;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'picket-second-'));
    resources = new AsyncDisposableStack();
    const id = randomUUID().slice(0, 6);
    controllerHost = resources.use(await Namespace.create(`${id}-ctl`));
    gatewayHost = resources.use(await Namespace.create(`${id}-gw`));
    await connect(
      { namespace: controllerHost, device: 'eth0', megabitsPerSecond: null },
      { namespace: gatewayHost, device: 'eth0', megabitsPerSecond: null },
    );
    await controllerHost.must(['ip', 'address', 'add', `${controllerAddress}/24`, 'dev', 'eth0']);
    await gatewayHost.must(['ip', 'address', 'add', '198.51.100.2/24', 'dev', 'eth0']);
    const lan = resources.use(await Namespace.create(`${id}-lan`));
    await connect(
      { namespace: gatewayHost, device: 'br-lan', megabitsPerSecond: null }, // what deploy/agent.yaml watches
      { namespace: lan, device: 'eth0', megabitsPerSecond: null },
    );
  });
  afterAll(async () => {
    await resources.disposeAsync();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(host: Namespace, argv: readonly string[]): RunningProgram {
    const [program = '', ...rest] = host.inside(argv);
    return resources.use(
      RunningProgram.start([program, ...rest], {
        PICKET_DATA_DIR: join(folder, 'controller'),
        PICKET_ADMIN_PASSWORD: password,
        PICKET_AGENT_STATE_DIR: join(folder, 'gateway'),
      }),
    );
  }

  async function finished(program: RunningProgram): Promise<{ readonly code: number | null; readonly output: string }> {
    const code = await eventually(
      async () => program.exitCode,
      (exitCode) => exitCode !== null,
      120_000,
    );
    return { code, output: program.output };
  }

  async function api(method: string, path: string, body: object | undefined, token?: string): Promise<unknown> {
    const answer = await controllerHost.must([
      'curl',
      '-s',
      '-X',
      method,
      ...(body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]),
      ...(token === undefined ? [] : ['-H', `authorization: Bearer ${token}`]),
      `http://127.0.0.1:8000/api/v1${path}`,
    ]);
    return JSON.parse(answer);
  }

  test(
    'joins in five commands, is seen, and puts an analyst’s decision into its kernel',
    { timeout: 600_000 },
    async () => {
      const commands = readmeCommands();
      expect(commands).toHaveLength(5);
      const [serve = '', enrollToken = '', enroll = '', doctor = '', run = ''] = commands;
      const words: Record<string, string> = {
        'picket.example.net': controllerAddress,
        'deploy/agent.yaml': join(root, 'deploy/agent.yaml'),
      };

      const controller = start(controllerHost, asProgram(serve, words));
      await controller.untilPrinted(/"ready"/, 120_000);

      const made = await finished(start(controllerHost, asProgram(enrollToken, words)));
      expect(made.code).toBe(0);
      words['pk1.…'] = /pk1\.\S+/.exec(made.output)?.[0] ?? '';

      const enrolled = await finished(start(gatewayHost, asProgram(enroll, words)));
      expect(enrolled.output).toMatch(/enrolled as gw-kitchen/);

      const checked = await finished(start(gatewayHost, asProgram(doctor, words)));
      expect(checked.output).toMatch(/ok\s+nft/);
      expect(checked.output).toMatch(/ok\s+enrolment/);

      start(gatewayHost, asProgram(run, words));
      const login = (await api('POST', '/auth/login', { username: 'admin', password })) as { access_token: string };
      const gateway = await eventually(
        async () => (await api('GET', '/gateways/gw-kitchen', undefined, login.access_token)) as GatewayAnswer,
        (answer) => answer.status === 'online' && answer.twin.policy.in_sync,
        120_000,
      );
      expect(gateway.mode).toBe('simulate');

      await api(
        'POST',
        '/decisions',
        {
          scope: 'ip',
          value: '203.0.113.66',
          direction: 'both',
          action: 'block',
          duration: 600,
          reason: 'test',
          gateways: ['gw-kitchen'],
        },
        login.access_token,
      );
      await eventually(
        () => gatewayHost.must(['nft', 'list', 'table', 'inet', 'picket']),
        (ruleset) => ruleset.includes('203.0.113.66'),
        120_000,
      );
    },
  );
});

interface GatewayAnswer {
  readonly status: string;
  readonly mode: string;
  readonly twin: { readonly policy: { readonly in_sync: boolean } };
}
