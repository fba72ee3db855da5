/** A host is slowed down, not cut. */
import type { Scenario } from '../scenario.ts';

const sent = 1500;

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'rate_limit: of 1,500 pings at 500 a second some come through, far from all; an ordinary page still arrives.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, device } = field.network;
    const { state } = await agent.add({ scope: 'ip', value: attacker.address, action: 'rate_limit' });
    field.expect('it is verified', state === 'verified', state);
    await field.expectReach('a page arrives', attacker, true);
    const { stdout } = await attacker.namespace.run(
      ['ping', '-n', '-q', '-i', '0.002', '-c', String(sent), '-W', '1', device.address],
      120_000,
    );
    const [, received = 'none', milliseconds = '0'] = /(\d+) received.*time (\d+)ms/.exec(stdout) ?? [];
    // the default: 50 packets a second and 100 at once, both ways counted
    const allowed = 200 + (120 * Number(milliseconds)) / 1000;
    field.expect('some come through', Number(received) >= 20, stdout);
    field.expect(
      'not more than the limit allows',
      Number(received) <= Math.min(allowed, sent * 0.8),
      `${received} of ${sent}, at most ${allowed}`,
    );
  },
};
