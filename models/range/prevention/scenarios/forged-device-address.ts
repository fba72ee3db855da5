/** Somebody outside forges the address of a device; the owner did what `doctor` told him. */
import { floodInTheNameOf } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    '`doctor` warns that addresses of devices can be forged from outside and names the settings; with these a flood in the name of a device never reaches the LAN, and nothing is held against the device.',
  needs: ['hping3'],
  honestClientVisits: 'neighbour',
  async run(field) {
    const { attacker, device, neighbour, gateway } = field.network;
    for (const leg of ['all', 'wan0']) await gateway.sysctl(`net.ipv4.conf.${leg}.rp_filter`, 0);
    await gateway.ip(['route add default via 192.0.2.99']);
    const agent = await field.startAgent();
    const doctor = async (): Promise<string> =>
      (await agent.command('doctor')).stdout.split('\n').find((line) => line.includes('forged addresses')) ?? '';
    const warning = await doctor();
    field.expect('doctor warns', warning.startsWith('warning'), warning);
    const settings = warning.match(/net\.ipv4\.conf\.\S+=1/g) ?? [];
    await gateway.must(['sysctl', '-qw', ...settings]);
    const answer = await doctor();
    field.expect(
      'with the settings it names it is content',
      answer.startsWith('ok'),
      `${settings.join(' ')}: ${answer}`,
    );

    field.network.start(attacker.namespace, floodInTheNameOf(neighbour.address, device.address));
    const received = async (leg: string): Promise<number> =>
      Number(await gateway.must(['cat', `/sys/class/net/${leg}/statistics/rx_packets`]));
    const sent = async (): Promise<number> =>
      Number(await gateway.must(['cat', '/sys/class/net/lan0/statistics/tx_packets']));
    const [fromOutside, toLan] = [await received('wan0'), await sent()];
    await field.expectSoon(
      'the flood arrives outside',
      () => received('wan0'),
      (packets) => packets - fromOutside > 10_000,
    );
    const passed = (await sent()) - toLan;
    field.expect('next to nothing goes to the LAN meanwhile', passed < 2000, `${passed} packets`);
    const held = (await agent.decisions()).map(({ decision }) => decision.value);
    field.expect('nothing is held against anybody', held.length === 0, held);
  },
};
