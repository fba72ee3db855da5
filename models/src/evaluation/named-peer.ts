/** The other end that an agent's alert would name: alerts of one device and class are told apart by it. */
import { flowsOfCount, isOfManyHosts, type FlowCount } from '@picket/shared/policy/flow-tally';
import type { AttackClass, JudgedFlow } from '@picket/shared/policy/judged-window';
import { findOffender } from '@picket/shared/policy/offending-peer';
import { peerOf } from '@picket/shared/policy/offender';

/**
 * Null where there is not one, or nobody knows who opened the flows. `count`: what was counted beside the network, where
 * that is the proof. The gateway's own addresses, what its routers brought, the port that a flow came from, how many forged sources came before and what
 * the network's reasons point to are not known here: an agent may name another host, or nobody.
 */
export function namedPeer(
  device: string,
  attack: AttackClass,
  flows: readonly JudgedFlow[],
  count?: FlowCount,
): string | null {
  const ofCount = count === undefined ? [] : flowsOfCount(count, flows);
  const shown = ofCount.length > 0 ? ofCount : flows;
  if (shown.length === 0) return null;
  const window = { device: { address: device, mac: null }, flows: shown, flowImportance: null, seen: flows };
  const offender = findOffender(window, attack);
  const isOneOfMany = count !== undefined && offender.kind === 'destination' && isOfManyHosts(count, offender.peer);
  return isOneOfMany ? null : peerOf(offender);
}
