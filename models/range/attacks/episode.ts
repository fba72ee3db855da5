/** One run of one attack tool as data: who does what to whom for how long, and which flows are its work. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { LabelRule } from '../labels.ts';
import {
  type DevicePlan,
  type Part,
  type ServiceKind,
  type ServicePlan,
  type SitePlan,
  type Stack,
  address6Of,
  addressOf,
} from '../plan/site-plan.ts';
import type { Conversation, Serving } from '../programs/conversation.ts';
import { usualPort } from '../plan/plan-devices.ts';
import type { Random } from '../random.ts';

/** Which flows an attack makes; the times are added when it ran. */
export type Truth = Pick<LabelRule, 'src_ip' | 'dst_ip' | 'protocol' | 'dst_port' | 'except'>;

export interface EpisodePlan {
  readonly class: Exclude<TrafficClass, 'benign'>;
  /** The program, as in the manifest. */
  readonly tool: string;
  /** Tool and setting, for people: `nmap -sS -T4`. */
  readonly step: string;
  /** Cut short after this long. */
  readonly seconds: number;
  /** An attacker's host in a lane, or a device that has been taken over. */
  readonly origin: Attacker | DevicePlan;
  /** `{folder}` stands for the episode's own folder, `{site}` for the site's. */
  readonly argv: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** What the attacker's own host serves meanwhile: where beacons report and stolen data goes. */
  readonly servings: readonly Serving[];
  /** Its address, in the lane. */
  readonly control: string | null;
  /** What else runs on it: a victim outside has real services. */
  readonly daemons?: readonly DaemonPlan[];
  /** A part of the world whose every address answers, with a refusal where nothing listens; the rest is dead. */
  readonly answering?: string;
  readonly truth: readonly Truth[];
  readonly to: string;
}

export interface DaemonPlan {
  readonly software: Exclude<ServicePlan['software'], 'own'>;
  readonly port: number;
}

/** Who attacks from within, and whom. */
export interface Inside {
  readonly address: string;
  /** Addresses with which it has nothing to do otherwise. */
  readonly victims: readonly string[];
  /** What the one victim outside serves; null: victims are devices. */
  readonly offers: readonly ServiceKind[] | null;
}

export interface Attacker {
  readonly address: string;
  readonly address6: string;
  readonly stack: Stack;
}

export const isAttacker = (origin: EpisodePlan['origin']): origin is Attacker => 'address6' in origin;

/** What a family plans an episode from. Nothing else decides: the same seed gives the same episodes. */
export interface Stage {
  readonly site: SitePlan;
  readonly part: Part;
  readonly random: Random;
  /** Used by nobody else in the capture. */
  readonly freshAddress: () => string;
  /** Null: attackers come from outside. */
  readonly inside: Inside | null;
}

/** Plans one episode, or gives undefined where the site has nothing for it. */
export type Family = (stage: Stage) => EpisodePlan | undefined;

/** Tools that a part may use: validation and test have tools that training never met. */
export function byPart<T>(
  part: Part,
  tools: Readonly<Record<'train' | 'validation' | 'test', readonly T[]>>,
): readonly T[] {
  return tools[part === 'demo' ? 'train' : part];
}

export const between = (source: string, destination: string | null): Truth => ({
  src_ip: source,
  dst_ip: destination,
  protocol: null,
  dst_port: null,
  except: [],
});

/** The attacker's own host; of a device that was taken over only its address counts (`inside.ts`). */
export function attacker(stage: Stage): Attacker {
  const { random } = stage;
  return {
    address: stage.inside?.address ?? stage.freshAddress(),
    address6: `2001:db8:bad:${random.integer(1, 0xffff).toString(16)}::${random.integer(1, 0xffff).toString(16)}`,
    stack: {
      hopLimit: random.pick([64, 64, 128, 255]),
      segment: random.pick([1460, 1460, 1400, 1380, 1360]),
      window: random.pick([0, 0, 1024, 29_200, 64_240]),
      initialSegments: random.pick([0, 4, 10]),
    },
  };
}

export interface Target {
  /** Null: a host outside. */
  readonly device: DevicePlan | null;
  readonly address: string;
  readonly port: number;
}

/** A service that the attacker reaches: an outsider by itself, or at the gateway's forwarded port. */
export function reachable({ site, random, inside }: Stage, kind: ServiceKind): Target | undefined {
  if (inside?.offers?.includes(kind) === true)
    return { device: null, address: inside.victims[0]!, port: usualPort[kind] };
  if (inside !== null && inside.offers !== null) return undefined;
  const targets = site.devices.flatMap((device) =>
    device.services.flatMap((service): Target[] => {
      if (service.kind !== kind) return [];
      const address = addressOf(site, device);
      if (inside !== null) return inside.victims.includes(address) ? [{ device, address, port: service.port }] : [];
      if (!site.isTranslated) return [{ device, address, port: service.port }];
      return service.forwardedPort === null ? [] : [{ device, address: site.outer, port: service.forwardedPort }];
    }),
  );
  return targets.length === 0 ? undefined : random.pick(targets);
}

/** Addresses that the attacker can send anything to: devices themselves, or what the gateway shows of them. */
export function exposed(stage: Stage): string[] {
  const { site, inside } = stage;
  if (inside !== null) return [...inside.victims];
  return site.isTranslated ? [site.outer] : site.devices.map((device) => addressOf(site, device));
}

/** What people start names its hosts among other words. */
const mentions = (site: SitePlan, { to, commands }: Conversation, address: string): boolean =>
  to.includes(address) ||
  (site.edition >= 2 &&
    commands.some((words) =>
      words
        .join(' ')
        .split(/[^\d.]+/)
        .includes(address),
    ));

/** Inside addresses with which a device has nothing to do otherwise, so that whatever passes between them is attack. */
export function strangers(site: SitePlan, device: DevicePlan): string[] {
  const own = addressOf(site, device);
  const all = [...site.conversations.wired, ...site.conversations.wireless];
  return site.devices
    .filter((other) => other !== device && other.half !== device.half)
    .map((other) => addressOf(site, other))
    .filter(
      (other) =>
        !all.some(
          (talk) =>
            (talk.from === own && mentions(site, talk, other)) || (talk.from === other && mentions(site, talk, own)),
        ),
    );
}

/** Honest hosts: what a spoofed flood's null source never stands for. */
export function honestAddresses(site: SitePlan): string[] {
  const inside = site.devices
    .flatMap((device) => [addressOf(site, device), address6Of(site, device) ?? ''])
    .filter(Boolean);
  return [`${site.lan}.1`, site.outer, site.outer6, ...inside, ...site.cloud, ...site.cloud6, ...site.people];
}

export const episode = (
  plan: Omit<EpisodePlan, 'files' | 'servings' | 'control'> & Partial<EpisodePlan>,
): EpisodePlan => ({
  files: {},
  servings: [],
  control: null,
  ...plan,
});

/** A rate or pause from a wide range: as many slow ones as fast ones. */
export const spread = (random: Random, low: number, high: number): number => low * (high / low) ** random.next();
