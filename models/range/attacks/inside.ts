/** Attackers inside: a device that was taken over turns the same tools on its neighbours, or on the world. */
import { software, usualPort } from '../plan/plan-devices.ts';
import { type ServiceKind, type SitePlan, addressOf } from '../plan/site-plan.ts';
import type { Serving } from '../programs/conversation.ts';
import { type DaemonPlan, type Family, type Stage, between, strangers } from './episode.ts';

/** Attackers are inside in about one of three runs of a family that can be; only on sites that were planned for it. */
export const alsoInside =
  (outside: Family, inside: Family): Family =>
  (stage) =>
    (stage.site.edition >= 2 && stage.random.next() < 1 / 3 ? inside(stage) : undefined) ?? outside(stage);

/**
 * The family's own tools, run by a device: on devices of the other half, for what passes there is what the gateway
 * hears, or on one host outside that offers what is attacked.
 */
export const fromDevice =
  (family: Family, offers: readonly ServiceKind[]): Family =>
  (stage) =>
    (stage.random.next() < 0.6 ? onNeighbours(stage, family) : undefined) ?? onTheWorld(stage, family, offers);

/** By the first device that finds among those it has nothing to do with what the family attacks. */
function onNeighbours(stage: Stage, family: Family): ReturnType<Family> {
  const { site, random } = stage;
  const first = random.integer(0, site.devices.length - 1);
  for (const device of [...site.devices.slice(first), ...site.devices.slice(0, first)]) {
    const victims = strangers(site, device);
    const address = addressOf(site, device);
    const planned = victims.length === 0 ? undefined : family({ ...stage, inside: { address, victims, offers: null } });
    if (planned !== undefined)
      return {
        ...planned,
        step: `${planned.step} from a device`,
        origin: device,
        truth: victims.map((victim) => between(address, victim)),
      };
  }
  return undefined;
}

function onTheWorld(stage: Stage, family: Family, offers: readonly ServiceKind[]): ReturnType<Family> {
  const { site, random } = stage;
  const device = random.pick(site.devices);
  const address = addressOf(site, device);
  const victim = stage.freshAddress();
  const daemons = offers.flatMap((kind): DaemonPlan[] => {
    const program = random.pick(software[kind][site.part]);
    return program === 'own' ? [] : [{ software: program, port: usualPort[kind] }];
  });
  const telnet: Serving[] = offers.includes('telnet')
    ? [{ kind: 'telnet', address: victim, port: usualPort.telnet, isTls: false }]
    : [];
  const planned = family({ ...stage, inside: { address, victims: [victim], offers } });
  if (planned === undefined) return undefined;
  return {
    ...planned,
    step: `${planned.step} from a device on the world`,
    origin: device,
    control: victim,
    daemons,
    servings: telnet,
    truth: [between(address, victim)],
  };
}

/**
 * Ports on which a device's flows are nobody's but an attack's: neither it nor, where the gateway makes all of them one
 * address, another device talks to such a port of anybody.
 */
export function unusedPorts(site: SitePlan, address: string, ports: readonly number[]): number[] {
  const talks = [...site.conversations.wired, ...site.conversations.wireless].filter(
    ({ from }) => site.isTranslated || from === address,
  );
  return ports.filter((port) => !talks.some((talk) => talk.port === port));
}
