/** Somebody blocks the controller itself. */
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'The controller refuses to block its own address; on the gateway the agent keeps its way to it over new connections, whatever is decided.',
  network: { hasController: true },
  limitSeconds: 240,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    const wanted = { scope: 'ip', value: room.address, duration: 600, reason: 'a mistake' };
    const answer = (await room.api('POST', '/decisions', wanted, true)) as { status?: number; detail?: string };
    field.expect('the controller refuses it with a reason', (answer.status ?? 0) >= 400, answer);
    const byHand = await agent.add({ scope: 'ip', value: room.address });
    field.expect('the gateway takes it by hand', byHand.state === 'verified', byHand);
    const wider = await agent.add({ scope: 'cidr', value: '198.51.100.8/29' });
    field.expect('and a prefix around it', wider.state === 'verified', wider);
    const pings = await network.pings(network.gateway, room.address);
    field.expect(
      'so that only its conversations with the agent are left',
      !pings,
      pings ? 'a ping was answered' : 'no answer',
    );
    await agent.program.stop('SIGTERM');
    await field.expectSoon(
      'it is gone',
      () => room.gateway('hall-1'),
      ({ status }) => status === 'offline',
    );
    agent.startAgain();
    await field.expectSoon(
      'the agent comes back over new connections',
      () => room.gateway('hall-1'),
      ({ status, twin }) => status === 'online' && twin.policy.in_sync,
    );
    await room.block(network.attacker.address);
    await field.expectSoon(
      'and still takes orders',
      () => network.reachesDevice(network.attacker),
      (reaches) => !reaches,
    );
  },
};
