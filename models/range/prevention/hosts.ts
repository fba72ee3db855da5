/** Who is who in a guarded network, and where. */
import type { Namespace } from '../namespace.ts';

export interface Host {
  readonly namespace: Namespace;
  readonly address: string;
  readonly address6: string;
  readonly mac: string;
}

/** How the gateway stands between the two sides. */
export type Forwarding =
  /** It routes both ways. */
  | 'routed'
  /** It routes, and hides the inside behind its own address; web, ssh and ftp of the device are forwarded. */
  | 'translated'
  /** It is a bridge: frames pass, nothing is routed. */
  | 'bridged';

/** `leg` is the gateway's end of the cable; its own address there ends in 1. */
export const hostPlans = {
  attacker: { leg: 'wan0', network: '192.0.2', network6: '2001:db8:2', host: 66 },
  bystander: { leg: 'wan1', network: '203.0.113', network6: '2001:db8:113', host: 20 },
  device: { leg: 'port1', network: '192.168.77', network6: 'fd77:0:0', host: 20 },
  neighbour: { leg: 'port2', network: '192.168.77', network6: 'fd77:0:0', host: 30 },
  controller: { leg: 'mgm0', network: '198.51.100', network6: '2001:db8:100', host: 9 },
} as const;
export type HostName = keyof typeof hostPlans;
