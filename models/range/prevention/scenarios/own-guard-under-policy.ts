/** The gateway's owner listed hosts in its file; then it joined a controller, whose policy lists none. */
import { ControlRoom } from '../control-room.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'What the gateway’s own file guards holds under a policy that guards nothing: an analyst’s block of a listed host is refused there, and an admin of the file who is blocked still opens ssh.',
  needs: ['sshd'],
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const { gateway, attacker: listed, bystander: admin } = network;
    const own = { namespace: gateway, address: '203.0.113.1', address6: '', mac: '' };
    await network.serve(own, 'ssh');
    const room = await ControlRoom.open(network);
    await room.enrol('hall-1', gateway);
    const guard = { never_block: [listed.address], admin_prefixes: [`${admin.address}/32`], management_ports: [22] };
    await field.startAgent({ guard });
    await room.untilInSync('hall-1');
    await room.useMode('hall-1', 'enforce');
    const { id } = await room.block(listed.address);
    await field.expectSoon(
      'the gateway refuses to block the listed host',
      () => room.decision(id),
      ({ gateways }) =>
        gateways.some(({ state, detail }) => state === 'refused' && /owner’s list|owner's list/.test(detail ?? '')),
    );
    await field.expectReach('the listed host still gets a page', listed, true);
    await field.withoutClient(async () => {
      await room.block(admin.address);
      await field.expectSoon(
        'a block of the admin arrives',
        () => field.held(admin.address),
        ({ length }) => length > 0,
      );
      await field.expectOpen('the admin still opens ssh to the gateway', admin.namespace, own.address, 22);
      await field.expectReach('and nothing else', admin, false);
      await room.api('DELETE', `/decisions?value=${admin.address}`);
      await field.expectSoon(
        'it is lifted',
        () => field.held(admin.address),
        ({ length }) => length === 0,
      );
    });
  },
};
