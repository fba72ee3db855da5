/** The process that holds the rights: what each process of an agent may do, and what a hostile agent gets out of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { emptyGuard } from '../enforcement/guard.ts';
import { restriction } from '../testing/decisions.ts';
import { captureRights, childrenOf, none, rights, statusOf } from '../testing/process-facts.ts';
import { SeparatedAgent, eventually, folder, listing, namespace, run, source } from '../testing/separated-agent.ts';

const helper = fileURLToPath(new URL('./main.ts', import.meta.url));

describe.skipIf(!requireSystem('root', 'ip', 'nft', 'tcpdump', 'setpriv'))('the process that holds the rights', () => {
  test(
    'the agent has none, tcpdump one; kill -9 ends them all, and what holds stays',
    { timeout: 600_000 },
    async () => {
      const inside = namespace(onTestFinished);
      const state = folder(onTestFinished);
      const agent = await SeparatedAgent.start(onTestFinished, inside, state);
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

      const again = await SeparatedAgent.start(onTestFinished, inside, state);
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
    'a user with two rights and no others, as the unit of systemd has it, is enough',
    { timeout: 300_000 },
    async () => {
      const inside = namespace(onTestFinished);
      const state = folder(onTestFinished);
      run('chown', 'nobody', state);
      run('chmod', '755', state);
      const both = '-all,+net_admin,+net_raw';
      const user = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--no-new-privs'];
      const agent = await SeparatedAgent.start(onTestFinished, inside, state, '', [
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
    const inside = namespace(onTestFinished);
    run(...inside('nft', 'add table inet other; add chain inet other keep; add rule inet other keep accept'));
    const before = run(...inside('nft', 'list', 'table', 'inet', 'other'));
    // in place of the agent: something that has taken it over
    const script = join(folder(onTestFinished), 'taken-over.mjs');
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
