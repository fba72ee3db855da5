/** Somebody scans, is blocked, waits for the end of it and goes on; meanwhile the agent is restarted. */
import { scanAgainAndAgain } from '../attacks.ts';
import { ControlRoom } from '../control-room.ts';
import type { HeldDecision } from '../gateway-agent.ts';
import type { Scenario } from '../scenario.ts';

/** The third would be 90 s, were it not for the longest. */
const wanted = [10, 30, 60];

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'A scanner who goes on whenever its block has ended is held for 10 s, then for 30 s, then for the longest that the rule allows, 60 s, though the agent is restarted in between: it neither blocks again what it holds, nor forgets who was blocked before.',
  needs: ['nmap'],
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const { attacker, target } = network;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', network.gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await room.api('POST', '/prevention/rules', {
      name: 'Scanners, a little longer each time',
      classes: ['port_scan'],
      action: 'block',
      min_windows: 2,
      of_windows: 3,
      min_flows: 5,
      cooldown_seconds: 0,
      duration_seconds: 10,
      escalation: { factor: 3, max_duration_seconds: 60, forget_after_seconds: 3600 },
    });
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    const seen = new Map<string, HeldDecision['decision']>();
    network.start(attacker.namespace, scanAgainAndAgain(target));
    const blocks = async (): Promise<number> => {
      for (const { decision } of await agent.decisions())
        if (decision.value === attacker.address) seen.set(decision.id, decision);
      return seen.size;
    };
    await field.expectSoon('it is blocked twice', blocks, (times) => times >= 2, 120_000);
    await agent.program.stop('SIGTERM');
    agent.startAgain();
    await agent.untilReady(60_000);
    await field.expectSoon('it is blocked three times', blocks, (times) => times >= wanted.length, 180_000);
    const lasted = [...seen.values()].map(
      ({ created_at, expires_at }) => (Date.parse(expires_at) - Date.parse(created_at)) / 1000,
    );
    field.expect('each time for longer, up to the longest', String(lasted) === String(wanted), lasted);
    // a decision is listed before the kernel has taken it
    await field.expectSoon(
      'the kernel gives it the last of these',
      async () => Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires)),
      (longest) => longest > 30 && longest <= 60,
    );
    const explained = await agent.command('decisions', 'explain', attacker.address);
    field.expect(
      'the reason says which time it is',
      /time 3 for this offender/.test(explained.stdout),
      explained.stdout,
    );
  },
};
