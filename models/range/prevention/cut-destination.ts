/** What the default rules do first about a device that reports to a stranger, and how its owner takes it back. */
import type { Field } from './field.ts';
import type { GatewayAgent } from './gateway-agent.ts';
import type { RunningProgram } from '../running-program.ts';

const deadlineMs = 120_000;

interface Stranger {
  readonly what: string;
  /** By the device. */
  readonly isReached: () => Promise<boolean>;
}

/** The device runs `argv` against the attacker's host: it is cut from that one, and from nobody else. The attack goes on. */
export async function expectCut(
  field: Field,
  argv: readonly string[],
  { what, isReached }: Stranger,
): Promise<RunningProgram> {
  const { attacker: stranger, bystander, device, neighbour } = field.network;
  await field.expectSoon(`the device reaches ${what} before`, isReached, Boolean);
  // as nft writes a pair, whichever comes first
  const pair = `${stranger.address} . ${device.address}|${device.address} . ${stranger.address}`;
  const attack = await field.attackUntilRestricted(device, argv, pair, { leg: 'lan0', isPattern: true, deadlineMs });
  field.expect(`it no longer reaches ${what}`, !(await isReached()));
  await field.expectPing('it reaches others outside', device.namespace, bystander.address);
  await field.expectPing('and its neighbour', device.namespace, neighbour.address);
  return attack;
}

/** The device, which was cleaned, is given back to the one whom it was cut from. */
export async function expectLifted(
  field: Field,
  agent: GatewayAgent,
  value: string,
  { what, isReached }: Stranger,
): Promise<void> {
  const lifted = await agent.command('decisions', 'delete', value);
  field.expect('its owner lifts it', lifted.status === 0, lifted.stdout + lifted.stderr);
  await field.expectSoon(`the device reaches ${what} again`, isReached, Boolean);
}

/** Both, one after the other, with the attack stopped in between. */
export async function expectCutAndLifted(
  field: Field,
  agent: GatewayAgent,
  argv: readonly string[],
  stranger: Stranger,
): Promise<void> {
  const { attacker, device } = field.network;
  const attack = await expectCut(field, argv, stranger);
  await attack.stop('SIGTERM');
  await expectLifted(field, agent, `${attacker.address} ${device.address}`, stranger);
}
