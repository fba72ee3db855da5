/** A fleet of two. */
import { ControlRoom } from '../control-room.ts';
import { elementsNaming } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'A block for one gateway reaches only that one, a block for all reaches both, and lifting it opens both kernels, each of which says so.',
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    const second = await network.addGateway();
    await room.enrol('hall-1', network.gateway);
    await room.enrol('hall-2', second, 'second');
    await Promise.all([field.startAgent(), field.startAgent({}, { namespace: second, name: 'second' })]);
    for (const id of ['hall-1', 'hall-2']) {
      await room.untilInSync(id);
      await room.useMode(id, 'enforce');
    }
    await room.block('192.0.2.70', ['hall-2']);
    const both = await room.block(network.attacker.address);
    const heldBy = async (address: string): Promise<boolean[]> =>
      Promise.all(
        [network.gateway, second].map(async (gateway) => (await elementsNaming(gateway, address)).length > 0),
      );
    await field.expectSoon(
      'both hold the block for all',
      () => heldBy(network.attacker.address),
      (held) => held.every(Boolean),
    );
    await field.expectSoon(
      'the second holds its own',
      () => heldBy('192.0.2.70'),
      ([, held]) => held === true,
    );
    const [firstHasIt] = await heldBy('192.0.2.70');
    field.expect('the first has nothing of it', firstHasIt === false);
    await room.api('DELETE', `/decisions/${both.id}`);
    await field.expectSoon(
      'both let go',
      () => heldBy(network.attacker.address),
      (held) => !held.some(Boolean),
    );
    await field.expectSoon(
      'each says so',
      () => room.decision(both.id),
      ({ gateways }) => gateways.length === 2 && gateways.every(({ state }) => state === 'retracted'),
    );
    await field.expectReach('the host gets a page again', network.attacker, true);
  },
};
