/** Which devices a rule is for, however its author wrote their addresses. */
import type { DeviceRef } from '../contract/address.ts';
import type { Rule } from '../contract/rule.ts';
import { parseAddress } from './decision-value.ts';

/** Is this device one of those that the rule is for? */
export function speaksOf(rule: Rule, { address, mac }: DeviceRef): boolean {
  const isOne = (name: string): boolean => name === address || name === mac || isWritten(name, address);
  if (rule.device !== null) return isOne(rule.device);
  return rule.devices.length === 0 || rule.devices.some(isOne);
}

/** IPv6 may be written in many ways; `address` is canonical. */
function isWritten(name: string, address: string): boolean {
  if (!name.includes(':') || !address.includes(':')) return false;
  const parsed = parseAddress(name);
  return parsed.ok && parsed.address === address;
}
