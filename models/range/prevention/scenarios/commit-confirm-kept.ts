/** A policy that does no harm. */
import { eventually } from '../../running-program.ts';
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'commit-confirm',
  expectation:
    'A new policy is applied, verified in the kernel, confirmed over new connections, and kept; each step is reported.',
  network: { hasController: true },
  limitSeconds: 240,
  async run(field) {
    const { network } = field;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    const { twin } = await eventually(
      () => room.gateway('hall-1'),
      ({ twin: { policy } }) => policy.reported?.in_force === policy.desired_version,
      60_000,
    );
    const { reported } = twin.policy;
    const steps = reported?.steps.map(({ step }) => step) ?? [];
    for (const step of ['validated', 'applied', 'verified', 'confirmed'])
      field.expect(`${step} is reported`, steps.includes(step), steps);
    field.expect('it is in force', reported?.in_force === twin.policy.desired_version, reported);
    await agent.program.stop('SIGKILL');
    agent.startAgain();
    await agent.untilReady(60_000);
    const status = (await agent.ask('GET', '/status')) as { mode: string };
    field.expect('it holds after a crash', status.mode === 'enforce', status.mode);
  },
};
