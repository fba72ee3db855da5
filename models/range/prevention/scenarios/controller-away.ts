/** The controller dies. */
import { synScan } from '../attacks.ts';
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'While the controller is away blocks stay, a new attack is cut as ever, and what happened arrives when it is back.',
  needs: ['nmap'],
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    await room.block('192.0.2.99');
    await field.expectSoon(
      'a block arrives',
      () => field.held('192.0.2.99'),
      ({ length }) => length > 0,
    );
    await room.program.stop('SIGKILL');
    const { attacker, target } = network;
    await field.attackUntilRestricted(attacker, synScan(target), attacker.address);
    await field.expectReach('the attacker gets nothing', attacker, false);
    field.expect('the block from before stays', (await field.held('192.0.2.99')).length > 0);
    await room.startAgain();
    await field.expectSoon(
      'the controller hears of the new block',
      async () => (await room.api('GET', `/decisions?value=${attacker.address}`)) as { items: unknown[] },
      ({ items }) => items.length > 0,
    );
  },
};
