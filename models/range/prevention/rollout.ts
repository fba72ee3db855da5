/** Rollouts of rules over a fleet of two, for the scenarios of them. */
import type { ControlRoom } from './control-room.ts';
import type { Field } from './field.ts';

/** As `GET /rollouts` lists it; more members are there. */
export interface RolloutAnswer {
  readonly state: string;
  readonly detail: string | null;
  readonly gateways: readonly { readonly gateway_id: string; readonly wave: number; readonly state: string }[];
}

export const newRule = {
  name: 'Scanners for ten minutes',
  classes: ['port_scan'],
  action: 'block',
  duration_seconds: 600,
};

export async function latestRollout(room: ControlRoom): Promise<RolloutAnswer> {
  const { items } = (await room.api('GET', '/rollouts')) as { items: RolloutAnswer[] };
  const [latest] = items;
  if (latest === undefined) throw new Error('the controller knows of no rollout');
  return latest;
}

/** `hall-1`, where everything is, and `hall-2`: both enrolled, enforcing and in sync. */
export async function startFleet(field: Field, room: ControlRoom): Promise<void> {
  const { network } = field;
  const second = await network.addGateway();
  await room.enrol('hall-1', network.gateway);
  await room.enrol('hall-2', second, 'second');
  await Promise.all([field.startAgent(), field.startAgent({}, { namespace: second, name: 'second' })]);
  for (const id of ['hall-1', 'hall-2']) {
    await room.untilInSync(id);
    await room.useMode(id, 'enforce');
  }
}
