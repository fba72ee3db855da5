/** The disk that holds the agent's state fills up, as disks of gateways do. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { synScan } from '../attacks.ts';
import { ControlRoom } from '../control-room.ts';
import { stateDirOf } from '../gateway-agent.ts';
import type { Scenario } from '../scenario.ts';

interface Status {
  readonly health: {
    readonly outbox: { readonly dropped: number };
    readonly enforcement: { readonly unsaved: number };
  };
}

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'The state folder has no byte left: an attack is cut and a person blocks and releases as ever, what could not be kept is counted and shown, and with room again it is written down before a kill -9.',
  needs: ['nmap'],
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const { attacker, target, gateway } = network;
    const disk = stateDirOf(network, 'agent');
    await network.giveDisk(disk, 16);
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', gateway);
    const agent = await field.startAgent();
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    await field.expectSoon(
      'the policy is confirmed before the disk fills',
      () => room.gateway('hall-1'),
      ({ twin }) => twin.policy.reported?.step === 'confirmed',
    );
    await agent.add({ scope: 'ip', value: '192.0.2.98' });
    const ballast = join(disk, 'ballast');
    const { stderr } = await gateway.run(['dd', 'if=/dev/zero', `of=${ballast}`, 'bs=4k']);
    field.expect('the disk is full', /No space left/.test(stderr), stderr);

    await field.attackUntilRestricted(attacker, synScan(target), attacker.address);
    await field.expectReach('the attacker gets nothing', attacker, false);
    const { state } = await agent.add({ scope: 'ip', value: '192.0.2.99' });
    field.expect('a block by hand is verified in the kernel', state === 'verified', state);
    await agent.command('decisions', 'delete', '192.0.2.98');
    field.expect('one that was lifted is out of it', (await field.held('192.0.2.98')).length === 0);
    const status = async (): Promise<Status['health']> => ((await agent.ask('GET', '/status')) as Status).health;
    await field.expectSoon('decisions that are not on disk are counted', status, (now) => now.enforcement.unsaved > 0);
    const { outbox } = await field.expectSoon(
      'so is what could not be kept for the controller',
      status,
      (now) => now.outbox.dropped > 0,
    );
    const told = (await agent.command('status')).stdout;
    field.expect('the owner is told of both', /NOT ON DISK/.test(told) && /[1-9]\d* dropped/.test(told), told);
    await field.expectSoon(
      'the controller shows that it lost something',
      async () => (await room.api('GET', '/gateways/hall-1')) as { health: Status['health'] | null },
      (shown) => (shown.health?.outbox.dropped ?? 0) >= Math.min(1, outbox.dropped),
    );

    await rm(ballast);
    const { id } = await room.block('192.0.2.97');
    await field.expectSoon(
      'with room again the controller hears of new blocks',
      () => room.decision(id),
      ({ gateways }) => gateways.some(({ state: now }) => now === 'verified'),
    );
    await field.expectSoon('and everything is on disk', status, (now) => now.enforcement.unsaved === 0);
    await agent.program.stop('SIGKILL');
    agent.startAgain();
    await agent.untilReady(60_000);
    field.expect('the agent starts again', agent.program.exitCode === null);
    await field.expectReach('the attacker gets nothing after kill -9', attacker, false);
    const after = await agent.decisions();
    const known = new Set(after.map(({ decision }) => decision.value));
    for (const address of ['192.0.2.97', '192.0.2.99']) {
      const isHeld = known.has(address) && (await field.held(address)).length > 0;
      field.expect(`${address}, blocked before it, is known and held`, isHeld, after);
    }
    const isGone = !known.has('192.0.2.98') && (await field.held('192.0.2.98')).length === 0;
    field.expect('192.0.2.98, lifted while the disk was full, stays gone', isGone, after);
  },
};
