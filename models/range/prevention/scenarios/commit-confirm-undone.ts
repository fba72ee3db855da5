/** A policy that cuts the gateway off from its controller. */
import { ControlRoom } from '../control-room.ts';
import { prepareCut } from '../detour.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'commit-confirm',
  expectation:
    'A policy under whose rules no new connection reaches the controller is undone by the gateway itself, and reported as rolled back with the reason; the gateway can be steered again.',
  network: { hasController: true },
  limitSeconds: 400,
  async run(field) {
    const room = await ControlRoom.open(field.network);
    const agent = await prepareCut(field, room, 'hall-1');
    await room.api('PATCH', '/gateways/hall-1', { mode: 'enforce' });
    const { twin } = await field.expectSoon(
      'it is reported as rolled back',
      () => room.gateway('hall-1'),
      ({ twin }) => twin.policy.reported?.step === 'rolled_back',
      180_000,
    );
    field.expect('with the reason', /not confirmed/.test(twin.policy.reported?.detail ?? ''), twin.policy.reported);
    const status = (await agent.ask('GET', '/status')) as { mode: string };
    field.expect('what held before holds', status.mode === 'simulate', status.mode);
    await room.api('PATCH', '/gateways/hall-1', { mode: 'observe' });
    await field.expectSoon(
      'the next policy reaches it',
      () => room.gateway('hall-1'),
      ({ twin }) => twin.policy.in_sync && twin.mode === 'observe',
    );
  },
};
