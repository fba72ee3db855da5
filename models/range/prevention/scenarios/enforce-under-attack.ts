/** A gateway is told to enforce while somebody attacks whom it has only counted so far. */
import { scanAgainAndAgain } from '../attacks.ts';
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'modes',
  expectation:
    'From simulate to enforce under attack: the scanner whose packets were only counted is cut as soon as its rule has rested, not when what was counted would have ended, hours later.',
  needs: ['nmap'],
  network: { hasController: true },
  limitSeconds: 400,
  async run(field) {
    const { network } = field;
    const { attacker, target } = network;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    await field.startAgent({ mode: 'simulate' });
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'simulate');
    network.start(attacker.namespace, scanAgainAndAgain(target));
    await field.expectSoon(
      'the attacker’s packets are counted',
      () => field.held(attacker.address),
      (elements) => elements.some(({ packets }) => packets > 0),
    );
    await field.expectReach('it still gets a page', attacker, true);
    await room.useMode('hall-1', 'enforce');
    await field.expectSoon(
      'the kernel drops what it sends',
      () => field.held(attacker.address),
      (elements) => elements.some(({ set }) => set.startsWith('drop')),
      180_000,
    );
    await field.expectReach('it gets nothing', attacker, false);
  },
};
