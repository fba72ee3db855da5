/** Somebody asks to cut half the world. */
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

const values = ['0.0.0.0/0', '::/0', '192.0.0.0/8', '203.112.0.0/15', '2000::/3', '2001:db8::/32'];

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'Default routes and over-wide prefixes of both families are refused by name; the kernel does not change.',
  async run(field) {
    const agent = await field.startAgent();
    const before = await kernelElements(field.network.gateway);
    for (const value of values) {
      const { state, detail } = await agent.add({ scope: 'cidr', value });
      field.expect(`${value} is refused with a reason`, state === 'refused' && detail !== null, { state, detail });
    }
    const byCommand = await agent.command('decisions', 'add', '--scope', 'cidr', '--value', '0.0.0.0/0');
    field.expect(
      'the command line says so and fails',
      byCommand.status !== 0 && byCommand.stderr.includes('refused'),
      byCommand.stderr,
    );
    const after = await kernelElements(field.network.gateway);
    field.expect('the kernel holds what it held', JSON.stringify(after) === JSON.stringify(before), after);
  },
};
