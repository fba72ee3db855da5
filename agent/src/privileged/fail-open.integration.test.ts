/** What is undone when somebody wants it open, or the agent is gone, and what holds again afterwards. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { childrenOf } from '../testing/process-facts.ts';
import { SeparatedAgent, eventually, folder, listing, namespace, type Inside } from '../testing/separated-agent.ts';

describe.skipIf(!requireSystem('root', 'ip', 'nft', 'tcpdump', 'setpriv'))('fail-open', () => {
  test(
    'fail-open undoes everything with the agent alive, hung or dead; a restart blocks nothing until resumed',
    { timeout: 600_000 },
    async () => {
      const inside = namespace(onTestFinished);
      const state = folder(onTestFinished);
      const agent = await SeparatedAgent.start(onTestFinished, inside, state);
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

      const again = await SeparatedAgent.start(onTestFinished, inside, state);
      expect(again.ask('status', '--json')).toContain('"held_open":true');
      expect(listing(inside)).toBe('');
      await again.killAll();
      expect(again.ask('fail-open', '--resume')).toContain('no agent is running');
      expect(listing(inside)).toBe('');
      const third = await SeparatedAgent.start(onTestFinished, inside, state);
      expect(listing(inside)).toContain('203.0.113.9');
      await third.killAll();
      expect(third.ask('fail-open')).toContain('no agent is running; the next one to start restricts nothing either');
      expect(listing(inside)).toBe('');
    },
  );

  test('an agent that is killed leaves nothing where its owner declared so', { timeout: 300_000 }, async () => {
    const inside = namespace(onTestFinished);
    const state = folder(onTestFinished);
    const agent = await SeparatedAgent.start(onTestFinished, inside, state, 'fail_policy: open');
    agent.ask('decisions', 'add', '--ip', '203.0.113.9');
    const [child] = childrenOf(agent.pid, 'agent/src/main.ts');
    process.kill(child!, 'SIGKILL');
    expect(await agent.exit()).toBe(137);
    expect(listing(inside)).toBe('');
  });
});

/** What the command says of a running agent: it waits four seconds for it, so a busy machine is given another try. */
async function failOpenTold(agent: SeparatedAgent, inside: Inside, held: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const said = agent.ask('fail-open');
    if (attempt === 10 || !said.includes('did not answer')) return said;
    agent.ask('fail-open', '--resume');
    await eventually(() => listing(inside).includes(held));
  }
}
