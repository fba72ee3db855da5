/** The flows of a window as the network sees them beside their features: age, peer, direction, recent flows, familiarity. */
import { directionNumber, writeFlowContext } from '@picket/shared/features/flow-context';
import type { WindowContext } from './window-context.ts';

/** Writes 10 × 7 numbers at `offset`, present flows in the last slots; the rest of `to` must say that nothing is known. */
export function writeContextOf(
  { device, atUs, flows }: Pick<WindowContext, 'device' | 'atUs' | 'flows'>,
  to: Float32Array,
  offset: number,
): void {
  const peers: string[] = [];
  /** By the number of the peer: seconds since the first of its flows that the window holds. */
  const first: number[] = [];
  let deviceKnownSeconds = 0;
  const told = flows.map((flow) => {
    const ageSeconds = Math.max(0, atUs - flow.startedAtUs) / 1e6;
    const peer = numberOf(peers, flow.srcIp === device.address ? flow.dstIp : flow.srcIp);
    first[peer] = Math.max(first[peer] ?? 0, ageSeconds);
    deviceKnownSeconds = Math.max(deviceKnownSeconds, (atUs - flow.deviceSinceUs) / 1e6);
    return { ageSeconds, peer };
  });
  writeFlowContext(
    flows.map((flow, at) => ({
      ...told[at]!,
      direction: directionNumber(flow.direction),
      recentOfDevice: flow.recentOfDevice,
      recentOfPeer: flow.recentOfPeer,
      // A flow that was handed over late may have begun before the one that its peer was known by.
      peerKnownSeconds: Math.max(first[told[at]!.peer]!, (atUs - flow.peerSinceUs) / 1e6),
      deviceKnownSeconds,
    })),
    to,
    offset,
  );
}

function numberOf(peers: string[], peer: string): number {
  const known = peers.indexOf(peer);
  return known >= 0 ? known : peers.push(peer) - 1;
}
