/** A flood whose packets each bear another source: to block sources would be useless, and would fill the kernel. */
import { spoofedFlood } from '../attacks.ts';
import { keepTalking } from '../conversations.ts';
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';
import { startEcho } from '../steady-client.ts';

const mostBlocks = 10;

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'ddos_flood',
  expectation:
    'hping3 --rand-source: what is attacked is rate limited, the sources are not blocked by the thousand, and a connection that was there before goes on.',
  needs: ['hping3'],
  honestClientVisits: 'neighbour',
  limitSeconds: 240,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, bystander, device, gateway } = field.network;
    await startEcho(field.network, device, 7008);
    const talk = keepTalking(field.network, bystander.namespace, device.address, 7008, 30);
    await talk.untilPrinted(/back/, 60_000);
    await field.attackUntilRestricted(attacker, spoofedFlood(device.address), device.address, {
      filter: `dst host ${device.address} and tcp[tcpflags] == tcp-syn and not src host 203.0.113.20`,
      deadlineMs: 120_000,
    });
    // as much again as it took, for decisions that would come late
    await field.expectSoon(
      'the flood goes on and is met in the kernel',
      async () => (await agent.ask('GET', '/status')) as { health: { enforcement: { packets_dropped: number } } },
      ({ health }) => health.enforcement.packets_dropped > 2000,
    );
    const elements = (await kernelElements(gateway)).filter(({ expires }) => Number.isFinite(expires));
    field.expect(`at most ${mostBlocks} restrictions in the kernel`, elements.length <= mostBlocks, elements.length);
    const limited = elements.filter(({ value, set }) => value.includes(device.address) && set.startsWith('limit'));
    field.expect('the target is rate limited', limited.length > 0, limited);
    const answers = talk.output.split('back').length;
    await field.expectSoon(
      'a connection to the target that was there before goes on',
      async () => talk.output.split('back').length - answers,
      (more) => more >= 3 && !talk.output.includes('cut'),
    );
  },
};
