/**
 * A way to the controller that a policy can cut: packets to it are sent to another of its addresses, which the guard does
 * not know. Whoever blocks that address blocks the way, and only new connections show it.
 */
import type { ControlRoom } from './control-room.ts';
import type { Field } from './field.ts';
import type { GatewayAgent } from './gateway-agent.ts';

const hidden = '198.51.100.10';

/** An enrolled gateway in `simulate`: to say `enforce` to it again would cut it off. */
export async function prepareCut(field: Field, room: ControlRoom, id: string): Promise<GatewayAgent> {
  const { gateway, controller } = field.network;
  await controller?.namespace.ip([`address add ${hidden}/24 dev eth0`]);
  await room.enrol(id, gateway);
  const agent = await field.startAgent();
  await room.untilInSync(id);
  await room.useMode(id, 'enforce');
  const { state } = await agent.add({ scope: 'ip', value: hidden });
  field.expect('a block of the hidden address holds', state === 'verified', state);
  await room.useMode(id, 'simulate');
  await gateway.nft(
    `table ip detour { chain out { type nat hook output priority -100; ip daddr ${room.address} dnat to ${hidden}; }; }`,
  );
  return agent;
}
