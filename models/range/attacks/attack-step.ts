/** One attack as data: which tool, with what settings, from where, for how long, and which flows are its work. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { LabelRule } from '../labels.ts';
import type { Random } from '../random.ts';
import type { Host, Site } from '../site.ts';

/** Kept apart so that a model is never validated on the settings it was trained on. */
export type Settings = 'train' | 'validation' | 'demo';

export interface Scene {
  readonly site: Site;
  readonly random: Random;
  /** The attacker whose turn it is; used for nothing but attacks. */
  readonly attacker: Host;
  /** A folder of its own. */
  readonly folder: string;
}

/** Which flows an attack makes; the times are added when it ran. */
export type Truth = Pick<LabelRule, 'src_ip' | 'dst_ip' | 'protocol' | 'dst_port' | 'except'>;

interface AttackCommand {
  readonly from: Host;
  readonly argv: readonly string[];
  readonly input?: string;
  readonly truth: readonly Truth[];
}

export interface AttackStep {
  /** Tool and setting, for people: `nmap -sS -T4`. */
  readonly name: string;
  readonly class: Exclude<TrafficClass, 'benign'>;
  /** Cut short after this long. */
  readonly seconds: number;
  readonly command: (scene: Scene) => AttackCommand | Promise<AttackCommand>;
}

export interface AttackFamily {
  readonly name: string;
  readonly description: string;
  readonly steps: Readonly<Record<Settings, readonly AttackStep[]>>;
}

/** Everything between two hosts. */
export const between = (source: string, destination: string | null): Truth => ({
  src_ip: source,
  dst_ip: destination,
  protocol: null,
  dst_port: null,
  except: [],
});
