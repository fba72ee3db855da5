/** A list of ten thousand addresses. */
import { ControlRoom } from '../control-room.ts';
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

const count = 10_000;
const addresses = Array.from(
  { length: count },
  (_, index) => `100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
);

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'Ten thousand blocks made at the controller are in the kernel and read back; forwarding goes on, one lifted opens only that one.',
  network: { hasController: true },
  limitSeconds: 600,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    await room.blockMany([...addresses.slice(1), network.attacker.address]);
    const inForce = async (): Promise<number> =>
      ((await agent.ask('GET', '/status')) as { health: { enforcement: { in_force: number } } }).health.enforcement
        .in_force;
    await field.expectSoon('all are verified in the kernel', inForce, (held) => held >= count, 240_000);
    const elements = await kernelElements(network.gateway);
    const hosts = new Set(elements.map(({ value }) => value));
    field.expect('nft lists every one of them', hosts.size >= count, hosts.size);
    await field.expectReach('the host among them gets nothing', network.attacker, false);
    await agent.command('decisions', 'delete', network.attacker.address);
    await field.expectReach('lifted, it gets a page', network.attacker, true);
    field.expect('the others stay', (await kernelElements(network.gateway)).length >= count - 1);
  },
};
