/** The agent dies between apply and confirm. */
import { ControlRoom } from '../control-room.ts';
import { prepareCut } from '../detour.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'commit-confirm',
  expectation:
    'kill -9 after a policy was applied and before it was confirmed: at the next start what held before holds, and the controller hears why.',
  network: { hasController: true },
  limitSeconds: 400,
  async run(field) {
    const room = await ControlRoom.open(field.network);
    const agent = await prepareCut(field, room, 'hall-1');
    const mode = async (): Promise<string> => ((await agent.ask('GET', '/status')) as { mode: string }).mode;
    await room.api('PATCH', '/gateways/hall-1', { mode: 'enforce' });
    await field.expectSoon('the policy is applied, not confirmed', mode, (now) => now === 'enforce');
    await agent.program.stop('SIGKILL');
    agent.startAgain();
    await agent.untilReady(60_000);
    field.expect('what held before holds', (await mode()) === 'simulate', await mode());
    await field.expectSoon(
      'the controller hears why',
      () => room.gateway('hall-1'),
      ({ twin }) =>
        twin.policy.reported?.step === 'rolled_back' &&
        /the agent ended before version \d+ was confirmed/.test(twin.policy.reported.detail ?? ''),
      120_000,
    );
  },
};
