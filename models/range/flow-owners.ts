/** Whose a flow is, and which way it went: from its two addresses and the prefixes of the inside. */
import { BlockList } from 'node:net';
import type { directions } from '../src/dataset/flow-pack.ts';
import type { FlowLine } from './agent-flows.ts';

type FlowEnds = Pick<FlowLine, 'src_ip' | 'dst_ip'>;

/** Inside ends of the flow; the responder where there is none. Nobody owns a multicast or broadcast address. */
export function devicesOf(flow: FlowEnds, inside: BlockList): string[] {
  const ends = [flow.src_ip, flow.dst_ip].filter((address) => isIn(address, inside) && !address.endsWith('.255'));
  if (ends.length > 0) return ends;
  return /^(22[4-9]|23\d|255|0)\.|^ff/i.test(flow.dst_ip) ? [] : [flow.dst_ip];
}

/** Seen from the device, as the agent's registry tells it. */
export function directionOf(flow: FlowEnds, inside: BlockList): (typeof directions)[number] {
  if (!isIn(flow.src_ip, inside)) return 'inbound';
  return isIn(flow.dst_ip, inside) ? 'internal' : 'outbound';
}

const familyOf = (address: string): 'ipv6' | 'ipv4' => (address.includes(':') ? 'ipv6' : 'ipv4');
const isIn = (address: string, inside: BlockList): boolean => inside.check(address, familyOf(address));

/** Every address inside; link-local ones are, whatever the prefixes say. */
export function insideOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', length] = text.split('/');
    list.addSubnet(address, Number(length), familyOf(address));
  }
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
}
