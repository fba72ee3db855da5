/** Decisions that would cut what the fleet itself stands on: refused by the controller at once, and by every gateway. */
import ipaddr from 'ipaddr.js';
import { parseAddress, type DecisionTarget } from './decision-value.ts';

/** The address among `guarded` that the target would cut, or undefined. */
export function guardedAddress(target: DecisionTarget, guarded: readonly string[]): string | undefined {
  for (const text of guarded) {
    const address = parseAddress(text);
    if (address.ok && covers(target, address.address)) return address.address;
  }
  return undefined;
}

function covers(target: DecisionTarget, address: string): boolean {
  switch (target.scope) {
    case 'ip':
    case 'ip+port':
      return target.address === address;
    case 'device':
      return target.mac === undefined && target.address === address;
    case 'pair':
      return target.peer === address;
    case 'cidr': {
      const parsed = ipaddr.parse(address);
      const network = ipaddr.parse(target.network);
      return parsed.kind() === network.kind() && parsed.match(network, target.prefix);
    }
    case 'port':
      return false;
  }
}
