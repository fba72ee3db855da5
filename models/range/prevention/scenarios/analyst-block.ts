/** An analyst cuts a host off on a gateway far away. */
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'A block made at the controller is in the gateway’s kernel within seconds, read back, and reported as verified.',
  network: { hasController: true },
  limitSeconds: 240,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    const { id } = await room.block(network.attacker.address);
    await field.expectSoon(
      'the host gets nothing',
      () => network.reachesDevice(network.attacker),
      (reaches) => !reaches,
    );
    await field.expectSoon(
      'the controller hears that the kernel holds it',
      () => room.decision(id),
      ({ gateways }) => gateways.some(({ state }) => state === 'verified'),
    );
  },
};
