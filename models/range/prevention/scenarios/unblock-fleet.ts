/** "My address is blocked somewhere": one command for the whole fleet, and the proof of each gateway. */
import { ControlRoom } from '../control-room.ts';
import { elementsNaming, kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

interface Unblock {
  readonly id: string;
  readonly done: boolean;
  readonly gateways: readonly {
    readonly gateway_id: string;
    readonly state: string;
    readonly removed: readonly { readonly value: string; readonly origin: string }[];
    readonly still_held: readonly { readonly value: string }[];
  }[];
}

export const scenario: Scenario = {
  group: 'fleet',
  expectation:
    'One unblock lifts an address on two gateways, whoever blocked it and where, names the prefix that still covers it, and waits for a gateway that is away: each answer is read back from that kernel.',
  network: { hasController: true },
  limitSeconds: 300,
  async run(field) {
    const { network } = field;
    const { attacker } = network;
    const room = await ControlRoom.open(network);
    const second = await network.addGateway();
    await room.enrol('hall-1', network.gateway);
    await room.enrol('hall-2', second, 'second');
    const agents = [
      await field.startAgent(),
      await field.startAgent({}, { namespace: second, name: 'second' }),
    ] as const;
    for (const id of ['hall-1', 'hall-2']) {
      await room.untilInSync(id);
      await room.useMode(id, 'enforce');
    }
    await agents[0].add({ scope: 'ip', value: attacker.address }); // by hand, at one gateway
    await agents[1].add({ scope: 'cidr', value: '192.0.2.64/26' });
    await room.block(attacker.address); // by an analyst, everywhere
    await field.expectSoon(
      'the second kernel holds the address and the prefix',
      async () => {
        const values = (await kernelElements(second)).map(({ value }) => value);
        return new Set(values.filter((value) => value.includes('192.0.2.'))).size;
      },
      (held) => held === 2,
    );
    const ask = async (more: object = {}): Promise<string> => {
      const wanted = { value: attacker.address, reason: 'a customer of ours', ...more };
      return ((await room.api('POST', '/unblocks', wanted)) as Unblock).id;
    };
    const answer = async (id: string): Promise<Unblock> => (await room.api('GET', `/unblocks/${id}`)) as Unblock;
    const of = (unblock: Unblock, gateway: string): Unblock['gateways'][number] | undefined =>
      unblock.gateways.find(({ gateway_id }) => gateway_id === gateway);

    const first = await ask();
    const said = await field.expectSoon(
      'both gateways answer',
      () => answer(first),
      ({ done }) => done,
    );
    const origins = new Set(of(said, 'hall-1')?.removed.map(({ origin }) => origin));
    field.expect(
      'the first released what was blocked by hand and by the analyst',
      of(said, 'hall-1')?.state === 'released' && origins.size > 0,
      of(said, 'hall-1'),
    );
    field.expect(
      'the second names the prefix that still covers it',
      of(said, 'hall-2')?.still_held.some(({ value }) => value === '192.0.2.64/26') === true,
      of(said, 'hall-2'),
    );
    field.expect('the first kernel names it no more', (await field.held(attacker.address)).length === 0);
    field.expect('nor does the second', (await elementsNaming(second, attacker.address)).length === 0);
    await field.expectReach('the host gets a page again', attacker, true);

    await agents[1].program.stop('SIGTERM');
    await field.expectSoon(
      'the second is away',
      () => room.gateway('hall-2'),
      ({ status }) => status !== 'online',
    );
    const whole = await ask({ include_prefixes: true });
    await field.expectSoon(
      'the first answers, the second owes the answer',
      () => answer(whole),
      (unblock) => of(unblock, 'hall-1')?.state === 'not_held' && of(unblock, 'hall-2')?.state === 'owing',
    );
    agents[1].startAgain();
    await field.expectSoon(
      'back, the second releases the prefix and proves it',
      () => answer(whole),
      (unblock) => unblock.done && of(unblock, 'hall-2')?.state === 'released',
    );
    const left = (await kernelElements(second)).filter(({ value }) => value.includes('192.0.2.'));
    field.expect('its kernel holds nothing of it', left.length === 0, left);
  },
};
