/** Somebody asks to cut the gateway itself. */
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

const values: readonly (readonly [scope: string, value: string])[] = [
  ['ip', '192.168.77.1'],
  ['ip', '192.0.2.1'],
  ['ip', 'fd77:0:0::1'],
  ['ip', '127.0.0.1'],
  ['ip', '::1'],
  ['ip', '255.255.255.255'],
  ['cidr', '192.168.77.0/24'],
  ['cidr', 'fd77::/64'],
  ['device', '02:00:00:00:77:01'],
  ['device', '192.168.77.1'],
  ['device', 'ff:ff:ff:ff:ff:ff'],
  ['ip+port', '192.168.77.1 tcp/80'],
  ['port', 'tcp/22'],
];

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'Own addresses (each leg, both families, the MAC, prefixes that hold them), loopback, broadcast and the management port are refused; the kernel does not change.',
  async run(field) {
    const agent = await field.startAgent();
    const { gateway } = field.network;
    const before = await kernelElements(gateway);
    for (const [scope, value] of values) {
      const { state, detail } = await agent.add({ scope, value });
      field.expect(`${scope} ${value} is refused with a reason`, state === 'refused' && detail !== null, {
        state,
        detail,
      });
    }
    const after = await kernelElements(gateway);
    field.expect('the kernel holds what it held', JSON.stringify(after) === JSON.stringify(before), after);
  },
};
