/** Whom a few flows point to: windows for tests of who is blamed, from what is peculiar of their flows. */
import type { AttackClass, JudgedFlow } from '../policy/judged-window.ts';
import type { Offender } from '../policy/offender.ts';
import { findOffender } from '../policy/offending-peer.ts';
import { camera, knock } from './judged-flows.ts';

/** Opened by the camera. */
export function outbound(dstIp: string, flow: Partial<JudgedFlow> = {}): Partial<JudgedFlow> {
  return { srcIp: camera, dstIp, direction: 'outbound', ...flow };
}

interface More {
  readonly device?: string;
  readonly flowImportance?: readonly number[];
  readonly ownAddresses?: readonly string[];
}

/** Inbound from 203.0.113.9 to the camera where nothing else is said. */
export function offenderOf(attack: AttackClass, flows: readonly Partial<JudgedFlow>[], more: More = {}): Offender {
  const address = more.device ?? camera;
  const window = {
    device: { address, mac: null },
    flowImportance: more.flowImportance ?? null,
    flows: flows.map((flow, index): JudgedFlow => ({
      ...knock,
      dstIp: address,
      dstPort: 1 + index,
      ...flow,
    })),
  };
  return findOffender(window, attack, new Set(more.ownAddresses));
}

/** What a test says of peers, and the rest as it is for outside hosts that only knocked. */
export function peers(...addresses: readonly [string, ...string[]]): Partial<Offender> {
  return { kind: 'peers', peers: addresses, isInside: false };
}
