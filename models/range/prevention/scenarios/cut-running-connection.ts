/** A connection that was there before the block. */
import { keepTalking } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'A block ends what the host has going on, at once: its open connection carries nothing more; the honest client’s goes on.',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const talk = keepTalking(network, network.attacker.namespace, network.device.address, 7007);
    await talk.untilPrinted(/back/, 60_000);
    await agent.add({ scope: 'ip', value: network.attacker.address });
    const answers = talk.output.split('back').length;
    await field.expectSoon(
      'the connection is cut',
      async () => talk.output,
      (text) => text.includes('cut'),
      30_000,
    );
    const after = talk.output.split('back').length - answers;
    field.expect('nothing came through afterwards', after <= 1, `${after} answers`);
  },
};
