/** The agent is stopped as systemd stops it. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'SIGTERM: blocks stay, and with the next start they are held for what is left of their time, not longer.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 600 });
    const [before] = await agent.decisions();
    await agent.program.stop('SIGTERM');
    await field.expectReach('the attacker gets nothing meanwhile', attacker, false);
    agent.startAgain();
    await agent.untilReady(60_000);
    const [after] = await agent.decisions();
    field.expect('the decision is held again', after?.in_kernel === true, after);
    const endsBefore = Date.parse(before?.decision.expires_at ?? '');
    const endsAfter = Date.parse(after?.decision.expires_at ?? '');
    field.expect('its end has not moved back', endsAfter <= endsBefore, `${endsAfter - endsBefore} ms later`);
    const longest = Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires));
    const left = (endsBefore - Date.now()) / 1000;
    field.expect(
      'the kernel gives it no more than is left',
      longest > 0 && longest <= left + 1,
      `${longest} of ${left} s`,
    );
    await field.expectReach('the attacker still gets nothing', attacker, false);
  },
};
