/** The controller cannot be reached before a change. */
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'commit-confirm',
  expectation:
    'Where no new connection reaches the controller before a change, the change waits and nothing is touched; once the way is free it is applied and confirmed.',
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await network.gateway.nft(
      `table ip cut { chain out { type filter hook output priority 0; ip daddr ${room.address} ct state new drop; }; }`,
    );
    await room.api('PATCH', '/gateways/hall-1', { mode: 'enforce' });
    await field.expectSoon(
      'it says that it waits',
      () => room.gateway('hall-1'),
      ({ twin }) => /waits/.test(twin.policy.reported?.detail ?? ''),
      120_000,
    );
    const status = (await agent.ask('GET', '/status')) as { mode: string };
    field.expect('nothing was touched', status.mode === 'simulate', status.mode);
    await network.gateway.nft('delete table ip cut');
    await field.expectSoon(
      'it is applied and confirmed',
      () => room.gateway('hall-1'),
      ({ twin }) => twin.policy.reported?.step === 'confirmed' && twin.mode === 'enforce',
      120_000,
    );
  },
};
