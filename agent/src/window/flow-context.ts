/** The flows of a window as the network sees them beside their features: age, peer, direction, recent flows. */
import { directionNumber, writeFlowContext } from '@picket/shared/features/flow-context';
import type { WindowContext } from './device-windows.ts';

/** Writes 10 × 5 numbers at `offset`, present flows in the last slots; the rest of `to` must say that nothing is known. */
export function writeContextOf(
  { device, atUs, flows }: Pick<WindowContext, 'device' | 'atUs' | 'flows'>,
  to: Float32Array,
  offset: number,
): void {
  const peers: string[] = [];
  writeFlowContext(
    flows.map(({ srcIp, dstIp, startedAtUs, direction, recentOfDevice, recentOfPeer }) => ({
      ageSeconds: Math.max(0, atUs - startedAtUs) / 1e6,
      peer: numberOf(peers, srcIp === device.address ? dstIp : srcIp),
      direction: directionNumber(direction),
      recentOfDevice,
      recentOfPeer,
    })),
    to,
    offset,
  );
}

function numberOf(peers: string[], peer: string): number {
  const known = peers.indexOf(peer);
  return known >= 0 ? known : peers.push(peer) - 1;
}
