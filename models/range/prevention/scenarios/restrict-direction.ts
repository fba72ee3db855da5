/** Only one way is cut. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'direction `from`: what the host sends is dropped, so it gets no page; a datagram to it still leaves the gateway.',
  needs: ['hping3'],
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, device, gateway } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address, direction: 'from' });
    await field.expectReach('the host gets nothing', attacker, false);
    const seen = field.network.start(gateway, [
      'tcpdump',
      '-l',
      '-n',
      '-c',
      '1',
      '-i',
      'wan0',
      `udp and dst host ${attacker.address}`,
    ]);
    await seen.untilPrinted(/listening on/, 60_000);
    field.network.start(device.namespace, ['hping3', '-q', '--udp', '-p', '9', '-i', 'u200000', attacker.address]);
    await field.expectSoon(
      'what is sent to it leaves',
      async () => seen.output,
      (text) => / > 192\.0\.2\.66/.test(text),
    );
  },
};
