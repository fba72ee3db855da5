/** A device that hides what it knows in the names that it asks for. */
import { nameUpload } from '../attacks.ts';
import { expectCutAndLifted } from '../cut-destination.ts';
import type { Scenario } from '../scenario.ts';
import { asksName, startStranger } from '../stranger.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'data_exfiltration',
  expectation:
    'nslookup on the device asks one host outside for ever new names of 160 characters: the device is kept from that host and from nobody else, until its owner lifts it.',
  needs: ['busybox'],
  honestClientVisits: 'neighbour',
  limitSeconds: 300,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker: thief, device } = field.network;
    await startStranger(field.network, thief, 'names', 53);
    await expectCutAndLifted(field, agent, nameUpload(thief.address), {
      what: 'the stranger',
      isReached: () => asksName(device.namespace, thief.address),
    });
  },
};
