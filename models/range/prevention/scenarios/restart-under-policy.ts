/** The gateway's own file says less than its policy, and the agent is restarted. */
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'The gateway’s own file says `observe`, its policy `enforce`: over a restart, with the controller away, whoever is blocked gets not a single packet through, and the policy’s mode holds from the start.',
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const { attacker, device, gateway } = network;
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', gateway);
    const agent = await field.startAgent({ mode: 'observe' });
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 600 });
    await field.expectReach('the attacker is blocked', attacker, false);
    const pings = network.start(attacker.namespace, ['ping', '-n', '-i', '0.02', device.address]);
    await gateway.ip(['link set mgm0 down']);
    await agent.program.stop('SIGTERM');
    agent.startAgain();
    await agent.untilReady(60_000);
    await pings.stop('SIGINT');
    const tally = /(\d+) packets transmitted, (\d+) received/.exec(pings.output);
    field.expect('it pinged all the while', Number(tally?.[1]) > 50, tally?.[0] ?? pings.output);
    field.expect('nothing got through', tally?.[2] === '0', tally?.[0] ?? pings.output);
    const status = (await agent.ask('GET', '/status')) as { mode: string };
    field.expect('it enforces', status.mode === 'enforce', status.mode);
    const [held] = await agent.decisions();
    field.expect('the block is in the kernel', held?.in_kernel === true, held);
  },
};
