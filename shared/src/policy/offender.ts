/** Whom an attack is blamed on: what an alert names, a restriction is made of and a person reads. */
import { outsideSource } from './source-prefix.ts';

/** A service under attack. */
export interface Service {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export type Offender =
  /** Hosts that attack the device, strongest first. */
  | {
      readonly kind: 'peers';
      readonly peers: readonly [string, ...string[]];
      /** They are devices of the LAN themselves. */
      readonly isInside: boolean;
      /** None of them can be a forgery: each kept up a conversation. */
      readonly isGenuine: boolean;
      /** What they attack, where it is one service. */
      readonly service: Service | null;
    }
  /** The device talks to this one host where it should not. */
  | {
      readonly kind: 'destination';
      readonly peer: string;
      readonly isInside: boolean;
      /** Some of it was brought by a router, or sent with another MAC: the device may have sent none of it. */
      readonly isRelayed?: true;
    }
  /** The device attacks many hosts; `isInside` where some of them are of the LAN. */
  | { readonly kind: 'device'; readonly isInside: boolean; readonly isRelayed?: true }
  /** Forged or too many sources: the service under attack, where it is one. */
  | { readonly kind: 'target'; readonly service: Service | null };

/** The one other end to name, if there is one. */
export function peerOf(offender: Offender): string | null {
  if (offender.kind === 'peers') return offender.peers[0];
  return offender.kind === 'destination' ? offender.peer : null;
}

/** All hosts that it names: one outside by what it stands for (source-prefix.ts). */
export function hostsOf(offender: Offender): readonly string[] {
  if (offender.kind === 'target' || offender.kind === 'device') return [];
  const peers = offender.kind === 'peers' ? offender.peers : [offender.peer];
  return offender.isInside ? peers : peers.map((peer) => outsideSource(peer).value);
}
