/** Somebody starts a second agent by hand beside the one that runs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentCommand } from '../gateway-agent.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A second agent over the same state directory, told to observe only, ends at once and says why; the block of the first never leaves the kernel.',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { attacker, device, gateway } = network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 600 });
    await field.expectReach('the attacker is blocked', attacker, false);
    const file = join(network.folder, 'second.yaml');
    const capture = { source: 'live', interface: 'lan0' };
    await writeFile(file, JSON.stringify({ state_dir: agent.stateDir, capture, mode: 'observe' }));
    const pings = network.start(attacker.namespace, ['ping', '-n', '-i', '0.02', device.address]);
    const second = await gateway.run([...agentCommand, 'run', '--config', file]);
    await pings.stop('SIGINT');
    field.expect('it ends with an error', second.status !== 0 && second.status !== null, second.status);
    field.expect('and says why', second.stderr.includes('another agent uses'), second.stderr);
    const tally = /(\d+) packets transmitted, (\d+) received/.exec(pings.output);
    field.expect('it was tried all the while', Number(tally?.[1]) > 20, tally?.[0] ?? pings.output);
    field.expect('nothing got through', tally?.[2] === '0', tally?.[0] ?? pings.output);
    const { health } = (await agent.ask('GET', '/status')) as { health: { enforcement: { drift_repairs: number } } };
    field.expect('nothing had to be repaired', health.enforcement.drift_repairs === 0, health.enforcement);
  },
};
