/** A device that was taken over floods a host outside. */
import { synFlood } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  expectation:
    'hping3 runs on the device against a closed port of a host outside, which refuses every connection: the device is kept from its victim.',
  needs: ['hping3'],
  honestClientVisits: 'neighbour',
  async run(field) {
    await field.startAgent();
    const { attacker: victim, device } = field.network;
    await field.attackUntilRestricted(device, synFlood(victim.address), device.address, { leg: 'lan0' });
    const reaches = await field.network.pings(device.namespace, victim.address);
    field.expect('the device no longer reaches its victim', !reaches, reaches ? 'a ping was answered' : 'no answer');
  },
};
