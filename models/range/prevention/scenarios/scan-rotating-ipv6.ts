/** A host of IPv6 has as many addresses as it likes: to block one after the other is a race that the attacker wins. */
import { scanFromMany6 } from '../attacks.ts';
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

const network64 = '2001:db8:66:1::';
const fresh = `${network64}ffff`;
/** Of the same attacker, in another network. */
const elsewhere = '2001:db8:66:2::1';

export const scenario: Scenario = {
  group: 'attacks',
  expectation:
    'nmap -6 scans from forty addresses of one /64 in turn: the /64 is blocked, also for an address that was never seen, and nothing beyond it.',
  needs: ['nmap'],
  async run(field) {
    await field.startAgent();
    const { attacker, device, gateway } = field.network;
    const addresses = Array.from({ length: 40 }, (_, index) => `${network64}${(index + 16).toString(16)}`);
    await attacker.namespace.ip(
      [...addresses, fresh, elsewhere].map((address) => `-6 address add ${address}/64 dev eth0 nodad`),
    );
    await gateway.ip([`-6 route add 2001:db8:66::/48 via ${attacker.address6}`]);
    const pings = async (from: string): Promise<boolean> =>
      (await attacker.namespace.run(['ping', '-n', '-q', '-c', '1', '-W', '2', '-I', from, device.address6])).status ===
      0;
    await field.expectTry('an address of the /64 is answered before', () => pings(fresh));
    await field.attackUntilRestricted(attacker, scanFromMany6(addresses, device.address6), network64, {
      filter: `src net ${network64}/64`,
    });
    field.expect('an address of it that was never seen is answered no more', !(await pings(fresh)));
    await field.expectTry('an address beyond it is', () => pings(elsewhere));
    const elements = (await kernelElements(gateway)).filter(({ expires }) => Number.isFinite(expires));
    const named = new Set(elements.map(({ value }) => value));
    field.expect('one value in the kernel stands for all of them', named.size === 1, [...named]);
  },
};
