/** What a site is, as data: lines, addresses, devices with their services and habits. Made from a seed, never by hand. */
import type { Conversation, Serving } from '../programs/conversation.ts';
import type { Line } from '../line.ts';

/** Learnt from, tuned on, measured on; `demo` is the one small site of the demonstration. They share no site. */
export type Part = 'train' | 'validation' | 'test' | 'demo';

/** 2: with honest life that looks like attack, and attackers inside (`look-alikes.ts`, `../attacks/inside.ts`). */
export type Edition = 1 | 2 | 3;

export type ServiceKind = 'ssh' | 'ftp' | 'web' | 'mqtt' | 'telnet' | 'rtsp';

export interface ServicePlan {
  readonly kind: ServiceKind;
  /** The program that answers. */
  readonly software: 'openssh' | 'dropbear' | 'vsftpd' | 'pyftpdlib' | 'nginx' | 'lighttpd' | 'mosquitto' | 'own';
  readonly port: number;
  /** The port at the gateway's outer address that leads here, where the site translates addresses; null: none does. */
  readonly forwardedPort: number | null;
}

/** What becomes of packets to ports where nothing listens: a reset, nothing, nothing for some, or a tarpit's welcome. */
export type PortFilter = 'reset' | 'drop' | 'half' | 'tarpit';

export interface DevicePlan {
  readonly name: string;
  readonly role: string;
  /** Last number of its address. */
  readonly host: number;
  /** `wired` devices hang on the bridge, `wireless` ones behind a line with the delays of radio. */
  readonly half: 'wired' | 'wireless';
  readonly services: readonly ServicePlan[];
  readonly filter: PortFilter;
  readonly stack: Stack;
}

/** Stacks differ in the world: these are route metrics of one host. */
export interface Stack {
  readonly hopLimit: number;
  readonly segment: number;
  readonly window: number;
  readonly initialSegments: number;
}

export interface SitePlan {
  readonly name: string;
  readonly part: Part;
  readonly seed: number;
  /** Which rules it was drawn by: sites that were captured keep theirs. */
  readonly edition: Edition;
  /** The first three numbers of the LAN, a /24. */
  readonly lan: string;
  /** The first 64 bits of its IPv6 addresses, as text ending in `::`, or null. */
  readonly lan6: string | null;
  /** Are inside addresses translated to the outer one? */
  readonly isTranslated: boolean;
  readonly outer: string;
  readonly outer6: string;
  readonly access: string;
  readonly line: Line;
  readonly radio: Line;
  readonly devices: readonly DevicePlan[];
  /** Addresses of honest hosts outside. */
  readonly cloud: readonly string[];
  readonly cloud6: readonly string[];
  readonly people: readonly string[];
  readonly conversations: {
    readonly wired: readonly Conversation[];
    readonly wireless: readonly Conversation[];
    readonly outside: readonly Conversation[];
  };
  readonly servings: {
    readonly wired: readonly Serving[];
    readonly wireless: readonly Serving[];
    readonly outside: readonly Serving[];
  };
  readonly storms: readonly number[];
}

export const addressOf = (site: Pick<SitePlan, 'lan'>, device: Pick<DevicePlan, 'host'>): string =>
  `${site.lan}.${device.host}`;
export const address6Of = (site: Pick<SitePlan, 'lan6'>, device: Pick<DevicePlan, 'host'>): string | null =>
  site.lan6 === null ? null : `${site.lan6}${device.host.toString(16)}`;
