/** A device that was taken over scans a host outside. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  expectation: 'nmap runs on the device against a host outside: the device is kept from its victim.',
  needs: ['nmap'],
  honestClientVisits: 'neighbour',
  async run(field) {
    await field.startAgent();
    const { attacker: victim, device } = field.network;
    await field.attackUntilRestricted(device, synScan(victim.address), device.address, { leg: 'lan0' });
    const reaches = await field.network.pings(device.namespace, victim.address);
    field.expect('the device no longer reaches its victim', !reaches, reaches ? 'a ping was answered' : 'no answer');
  },
};
