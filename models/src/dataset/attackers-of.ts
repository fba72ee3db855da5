/** Who attacked from outside in a pack, by address. */
import { BlockList } from 'node:net';
import type { FlowPack } from './flow-pack.ts';

/**
 * Does a row belong to an address outside that attacked or was reported to, and to nobody honest? The first such rows
 * come with the attack itself, whatever comes later is what it left behind.
 */
export function attackersOf({
  addresses,
  episodes,
  lan_prefixes: prefixes,
}: FlowPack['header']): (pack: FlowPack, row: number) => boolean {
  const inside = new BlockList();
  for (const prefix of prefixes) {
    const [address = '', length] = prefix.split('/');
    inside.addSubnet(address, Number(length), familyOf(address));
  }
  const texts = new Set(episodes.flatMap(({ from, to }) => [from, to]));
  const numbers = new Set(
    addresses.flatMap((text, number) => (texts.has(text) && !inside.check(text, familyOf(text)) ? [number] : [])),
  );
  return (pack, row) => numbers.has(pack.device[row]!) || numbers.has(pack.peer[row]!);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
