/** A new rule goes to the fleet. */
import { ControlRoom } from '../control-room.ts';
import { latestRollout, newRule, startFleet } from '../rollout.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'A new rule goes to the canary first and to the other gateway only once the canary has confirmed it over a new connection; then the rollout is done.',
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const room = await ControlRoom.open(field.network);
    await startFleet(field, room);
    await room.api('PATCH', '/gateways/hall-2', { labels: { canary: 'true' } });
    await room.api('POST', '/prevention/rules', newRule);
    const { gateways, detail } = await field.expectSoon(
      'the rollout is done',
      () => latestRollout(room),
      ({ state }) => state === 'completed',
      120_000,
    );
    const waves = gateways.toSorted((a, b) => a.wave - b.wave).map(({ gateway_id }) => gateway_id);
    field.expect('the canary was first', String(waves) === 'hall-2,hall-1', detail ?? gateways);
    field.expect(
      'each confirmed it',
      gateways.every(({ state }) => state === 'confirmed'),
      gateways,
    );
    for (const id of ['hall-1', 'hall-2']) {
      const { twin } = await room.untilInSync(id);
      field.expect(
        `${id} holds what is wanted of it`,
        twin.policy.reported?.step === 'confirmed',
        twin.policy.reported,
      );
    }
  },
};
