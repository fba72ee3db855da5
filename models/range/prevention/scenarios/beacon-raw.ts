/** A device that reports to its master over a protocol of its own. */
import { rawBeacon } from '../attacks.ts';
import { tryPort } from '../conversations.ts';
import { expectCutAndLifted } from '../cut-destination.ts';
import type { Scenario } from '../scenario.ts';
import { startEcho } from '../steady-client.ts';

const port = 4444;

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'botnet_beacon',
  expectation:
    'nc on the device says a few words to one host outside every second, on a connection each, and is answered: the device is kept from that host and from nobody else, until its owner lifts it.',
  needs: ['busybox'],
  honestClientVisits: 'neighbour',
  limitSeconds: 300,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker: master, device } = field.network;
    await startEcho(field.network, master, port);
    await expectCutAndLifted(field, agent, rawBeacon(master.address, port), {
      what: 'its master',
      isReached: () => tryPort(device.namespace, master.address, port),
    });
  },
};
