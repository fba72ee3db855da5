/** A new rule reaches a canary that cannot live with the policy that carries it. */
import { ControlRoom } from '../control-room.ts';
import { prepareCut } from '../detour.ts';
import { latestRollout, newRule } from '../rollout.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'The canary of a rollout is cut off by its new policy and puts it back: the rollout stops by itself, and the rest of the fleet never gets the rule.',
  network: { hasController: true },
  limitSeconds: 500,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    const canary = await prepareCut(field, room, 'hall-1');
    const second = await network.addGateway();
    await room.enrol('hall-2', second, 'second');
    await field.startAgent({}, { namespace: second, name: 'second' });
    const before = (await room.untilInSync('hall-2')).twin.policy;
    await room.api('PATCH', '/gateways/hall-1', { labels: { canary: 'true' }, mode: 'enforce' });
    await field.expectSoon(
      'the canary puts its new mode back',
      () => room.gateway('hall-1'),
      ({ twin }) => twin.policy.reported?.step === 'rolled_back',
      180_000,
    );
    await room.api('POST', '/prevention/rules', newRule); // its next policy says that mode again, and the rule
    const { gateways, detail } = await field.expectSoon(
      'the rollout is undone by itself',
      () => latestRollout(room),
      ({ state }) => state === 'rolled_back',
      180_000,
    );
    field.expect('the reason names the canary', detail?.includes('hall-1') === true, detail);
    field.expect(
      'nobody but the canary was given the rule',
      gateways.length === 1 && gateways[0]?.gateway_id === 'hall-1',
      gateways,
    );
    const { policy } = (await room.gateway('hall-2')).twin;
    field.expect(
      'the other gateway was asked for nothing',
      policy.desired_version === before.desired_version && policy.in_sync,
      policy,
    );
    // the policy that takes the rule back says that mode once more, and is put back as well
    await field.expectSoon(
      'the canary works as before',
      async () => ((await canary.ask('GET', '/status')) as { mode: string }).mode,
      (mode) => mode === 'simulate',
      120_000,
    );
    await field.expectSoon(
      'and is there',
      () => room.gateway('hall-1'),
      ({ status }) => status === 'online',
    );
  },
};
