import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { emptyGuard } from '../enforcement/guard.ts';
import { restriction } from '../testing/decisions.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const helper = fileURLToPath(new URL('./main.ts', import.meta.url));
const source = '--conditions=@picket/source';

/** A network namespace with a loopback that is up, gone after the test. */
function namespace(): (...command: readonly string[]) => readonly string[] {
  const name = `pkt-priv-${randomUUID().slice(0, 8)}`;
  run('ip', 'netns', 'add', name);
  onTestFinished(() => void spawnSync('ip', ['netns', 'del', name]));
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  return (...command) => ['ip', 'netns', 'exec', name, ...command];
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'picket-privileged-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe.skipIf(!requireSystem('root', 'ip', 'nft', 'tcpdump', 'setpriv'))('the process that holds the rights', () => {
  test(
    'the agent has none, tcpdump one; kill -9 ends them all, and what holds stays',
    { timeout: 600_000 },
    async () => {
      const inside = namespace();
      const state = folder();
      const agent = await Agent.start(inside, state);
      const [child] = childrenOf(agent.pid, 'agent/src/main.ts');
      expect(statusOf(child!)).toMatchObject({
        CapEff: none,
        CapPrm: none,
        CapInh: none,
        CapBnd: none,
        NoNewPrivs: '1',
      });
      expect(BigInt(`0x${statusOf(agent.pid).CapEff}`)).toBe(
        rights('net_admin', 'net_raw', 'kill', 'setuid', 'setgid', 'setpcap'),
      );
      await eventually(() => captureRights(agent.pid) === rights('net_raw'));

      agent.ask('decisions', 'add', '--ip', '203.0.113.9');
      expect(run(...inside('nft', 'list', 'table', 'inet', 'picket'))).toContain('203.0.113.9');
      expect(agent.ask('status')).toContain('1 decisions in force');

      // back within a second of being flushed by somebody, and counted
      run(...inside('nft', 'flush', 'ruleset'));
      await eventually(() => listing(inside).includes('203.0.113.9'));
      const enforcement = (): { drift_repairs: number; gap_ms_max: number; privilege: string } =>
        (JSON.parse(agent.ask('status', '--json')) as { health: { enforcement: ReturnType<typeof enforcement> } })
          .health.enforcement;
      await eventually(() => enforcement().drift_repairs > 0); // counted once it was read back
      const health = { enforcement: enforcement() };
      expect(health.enforcement).toMatchObject({ drift_repairs: 1, privilege: 'separated' });
      expect(health.enforcement.gap_ms_max).toBeGreaterThan(0);

      await agent.killAll();
      expect(listing(inside)).toContain('203.0.113.9');

      const again = await Agent.start(inside, state);
      expect(again.ask('decisions', 'list')).toMatch(/ip:203\.0\.113\.9 +block +enforce +yes/);
      const { health: second } = JSON.parse(again.ask('status', '--json')) as {
        health: { enforcement: { unexpected_ends: number; fail_policy: string } };
      };
      expect(second.enforcement).toMatchObject({ unexpected_ends: 1, fail_policy: 'keep' });
      again.kill('SIGTERM');
      expect(await again.exit()).toBe(0);
      expect(listing(inside)).toContain('203.0.113.9');
    },
  );

  test(
    'fail-open undoes everything with the agent alive, hung or dead; a restart blocks nothing until resumed',
    { timeout: 600_000 },
    async () => {
      const inside = namespace();
      const state = folder();
      const agent = await Agent.start(inside, state);
      agent.ask('decisions', 'add', '--ip', '203.0.113.9');
      const undone = await failOpenTold(agent, inside, '203.0.113.9');
      expect(undone).toContain('inet picket removed, with 1 decision');
      expect(undone).toContain('enforce block ip:203.0.113.9');
      expect(undone).toContain('the running agent knows');
      expect(listing(inside)).toBe('');
      expect(agent.ask('fail-open')).toContain('nothing of ours was in the kernel: held open since');
      expect(agent.tryToAsk('decisions', 'add', '--ip', '203.0.113.10')).toContain('held open');
      expect(listing(inside)).toBe('');
      await eventually(() => agent.ask('fail-open', '--resume').includes('2 of 2 decisions hold in the kernel again'));
      expect(listing(inside)).toContain('203.0.113.10');

      const [child] = childrenOf(agent.pid, 'agent/src/main.ts');
      process.kill(child!, 'SIGSTOP');
      expect(agent.ask('fail-open', '--until', '1h')).toContain('did not answer: done without it');
      expect(listing(inside)).toBe('');
      process.kill(child!, 'SIGCONT');
      await agent.killAll();

      const again = await Agent.start(inside, state);
      expect(again.ask('status', '--json')).toContain('"held_open":true');
      expect(listing(inside)).toBe('');
      await again.killAll();
      expect(again.ask('fail-open', '--resume')).toContain('no agent is running');
      expect(listing(inside)).toBe('');
      const third = await Agent.start(inside, state);
      expect(listing(inside)).toContain('203.0.113.9');
      await third.killAll();
      expect(third.ask('fail-open')).toContain('no agent is running; the next one to start restricts nothing either');
      expect(listing(inside)).toBe('');
    },
  );

  test('an agent that is killed leaves nothing where its owner declared so', { timeout: 300_000 }, async () => {
    const inside = namespace();
    const state = folder();
    const agent = await Agent.start(inside, state, 'fail_policy: open');
    agent.ask('decisions', 'add', '--ip', '203.0.113.9');
    const [child] = childrenOf(agent.pid, 'agent/src/main.ts');
    process.kill(child!, 'SIGKILL');
    expect(await agent.exit()).toBe(137);
    expect(listing(inside)).toBe('');
  });

  test(
    'a user with two rights and no others, as the unit of systemd has it, is enough',
    { timeout: 300_000 },
    async () => {
      const inside = namespace();
      const state = folder();
      run('chown', 'nobody', state);
      run('chmod', '755', state);
      const both = '-all,+net_admin,+net_raw';
      const user = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--no-new-privs'];
      const agent = await Agent.start(inside, state, '', [
        ...user,
        '--inh-caps',
        both,
        '--ambient-caps',
        both,
        '--bounding-set',
        both,
      ]);
      const [child] = childrenOf(agent.pid, 'agent/src/main.ts');
      expect(statusOf(child!)).toMatchObject({ CapEff: none, CapPrm: none, CapInh: none, NoNewPrivs: '1' });
      expect(statusOf(child!)['Uid']).not.toMatch(/^0\t/);
      await eventually(() => captureRights(agent.pid) === rights('net_raw'));
      agent.ask('decisions', 'add', '--ip', '203.0.113.9');
      expect(listing(inside)).toContain('203.0.113.9');
      await agent.killAll();
    },
  );

  test('hostile words from the agent touch no table of others, and do not end it', { timeout: 300_000 }, async () => {
    const inside = namespace();
    run(...inside('nft', 'add table inet other; add chain inet other keep; add rule inet other keep accept'));
    const before = run(...inside('nft', 'list', 'table', 'inet', 'other'));
    // in place of the agent: something that has taken it over
    const script = join(folder(), 'taken-over.mjs');
    const good = restriction({ value: '203.0.113.9' });
    writeFileSync(
      script,
      takenOver([
        { op: 'apply', nftables: [{ flush: { ruleset: null } }] },
        'flush ruleset',
        '['.repeat(100_000),
        'x'.repeat(400_000),
        {
          op: 'add',
          id: 1,
          decisions: [restriction({ value: '1.2.3.4 }; flush ruleset; add rule inet other keep { drop' })],
        },
        { op: 'add', id: 2, decisions: [restriction({ scope: 'cidr', value: '0.0.0.0/0' })] },
        { op: 'hold', id: 3, now_ms: Date.now(), guard: emptyGuard, addresses: {}, table: 'other' },
        { op: 'add', id: 4, decisions: [good] },
        { op: 'hold', id: 5, now_ms: Date.now(), guard: emptyGuard, addresses: {} },
      ]),
    );
    const task = { setpriv: '/usr/bin/setpriv', none: ['--no-new-privs'], agent: [script] };
    const [program = '', ...args] = inside(process.execPath, source, helper, JSON.stringify(task));
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'close');
    const replies = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { re?: number | null; ok?: boolean });
    expect(replies.filter(({ ok }) => ok === false)).toHaveLength(7);
    expect(replies.filter(({ ok }) => ok === true).map(({ re }) => re)).toEqual([4, 5]);
    expect(run(...inside('nft', 'list', 'table', 'inet', 'other'))).toBe(before);
    expect(listing(inside)).toContain('203.0.113.9');
    expect(listing(inside)).not.toContain('1.2.3.4');
  });
});

/** A program that says these lines to the helper and prints its answers, until the last one. */
function takenOver(messages: readonly unknown[]): string {
  const lines = messages.map((message) => (typeof message === 'string' ? message : JSON.stringify(message)));
  return `
    import { Socket } from 'node:net';
    const socket = new Socket({ fd: 3 });
    let text = '';
    socket.on('data', (data) => {
      process.stdout.write(data);
      text += data;
      if (text.includes('"re":5')) process.exit(0);
    });
    for (const line of ${JSON.stringify(lines)}) socket.write(line + '\\n');
  `;
}

class Agent {
  readonly #child: ChildProcess;
  readonly #inside: ReturnType<typeof namespace>;
  readonly #state: string;

  private constructor(child: ChildProcess, inside: ReturnType<typeof namespace>, state: string) {
    this.#child = child;
    this.#inside = inside;
    this.#state = state;
  }

  /** `as`: setpriv's arguments, to start it as a service manager would. */
  static async start(
    inside: ReturnType<typeof namespace>,
    state: string,
    settings = '',
    as: readonly string[] = ['--keep-groups'],
  ): Promise<Agent> {
    const config = join(state, 'agent.yaml');
    writeFileSync(config, `state_dir: ${state}\ncapture: {source: live, interface: lo}\nmode: enforce\n${settings}\n`);
    const [program = '', ...args] = inside('setpriv', ...as, process.execPath, source, main, 'run', '--config', config);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const agent = new Agent(child, inside, state);
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}`);
      return agent.tryToAsk('status').includes('decisions in force');
    });
    return agent;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** kill -9 of the one that holds the rights; resolves once none of its processes is left. */
  async killAll(): Promise<void> {
    const children = childrenOf(this.pid);
    const all = [...children, ...children.flatMap((child) => childrenOf(child))].map((pid) => [pid, startOf(pid)]);
    this.kill('SIGKILL');
    await this.exit();
    // a number may be another process's by then
    await eventually(() => all.every(([pid, start]) => start === '' || startOf(Number(pid)) !== start));
  }

  async exit(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  ask(...args: readonly string[]): string {
    return run(...this.#command(args));
  }

  /** What it says, even where it fails. */
  tryToAsk(...args: readonly string[]): string {
    const [program = '', ...rest] = this.#command(args);
    const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
    return stdout + stderr;
  }

  #command(args: readonly string[]): readonly string[] {
    return this.#inside(process.execPath, source, main, ...args, '--state-dir', this.#state);
  }
}

const none = '0000000000000000';
const numbers = { kill: 5, setgid: 6, setuid: 7, setpcap: 8, net_admin: 12, net_raw: 13 } as const;

function rights(...names: readonly (keyof typeof numbers)[]): bigint {
  return names.reduce((sum, name) => sum | (1n << BigInt(numbers[name])), 0n);
}

function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t')));
}

/** Of the tcpdump that it runs, once it is no more what starts it. */
function captureRights(pid: number): bigint | undefined {
  const tcpdump = childrenOf(pid).find((child) => /^tcpdump$/m.test(textOf(child, 'comm')));
  const [, rights] = /^CapPrm:\s*(\w+)/m.exec(tcpdump === undefined ? '' : textOf(tcpdump, 'status')) ?? [];
  return rights === undefined ? undefined : BigInt(`0x${rights}`);
}

/** Those of this program, or all. */
function childrenOf(pid: number, program?: string): readonly number[] {
  const pids = textOf(pid, `task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return pids.filter((child) => program === undefined || commandLine(child).includes(program));
}

function commandLine(pid: number): string {
  return textOf(pid, 'cmdline').replaceAll('\0', ' ');
}

/** Ticks of the clock at which it began, which no other process of its number has; empty where there is none. */
function startOf(pid: number): string {
  return textOf(pid, 'stat').split(') ').at(-1)?.split(' ')[19] ?? '';
}

/** Empty where the process has ended since it was listed: `nft` is a child for milliseconds. */
function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    return '';
  }
}

/** What the command says of a running agent: it waits four seconds for it, so a busy machine is given another try. */
async function failOpenTold(agent: Agent, inside: ReturnType<typeof namespace>, held: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const said = agent.ask('fail-open');
    if (attempt === 10 || !said.includes('did not answer')) return said;
    agent.ask('fail-open', '--resume');
    await eventually(() => listing(inside).includes(held));
  }
}

/** Empty where the table is not there. */
function listing(inside: ReturnType<typeof namespace>): string {
  const [program = '', ...args] = inside('nft', 'list', 'table', 'inet', 'picket');
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

async function eventually(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 60 s');
    await wait(50);
  }
}

function run(...command: readonly string[]): string {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}
