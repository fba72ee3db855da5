/**
 * Ends the connections that run already when a block is laid: our rules drop their packets anyway, but without an
 * entry nothing that hangs on connection tracking (NAT, a flow table) carries them on. Deletes what the decision
 * names and nothing else; that there was nothing to delete is success.
 */
import type { Decision } from '@picket/shared/contract/decision';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { Guard } from './guard.ts';
import { contains, mustParsePrefix, parsePrefix } from '@picket/shared/policy/prefix';

/** Argument lists for `conntrack`, one per deletion; empty where the decision cuts no connection. */
export function connectionCuts(decision: Decision, guard: Guard): readonly (readonly string[])[] {
  if (decision.mode !== 'enforce' || decision.action === 'rate_limit') return [];
  const parsed = parseDecisionValue(decision.scope, decision.value);
  if (!parsed.ok) return [];
  const { target } = parsed;
  const from = decision.direction !== 'to';
  const to = decision.direction !== 'from';
  if (target.scope === 'pair') {
    const family = familyArguments(target.family);
    return [
      ['-D', ...family, '-s', target.peer, '-d', target.device],
      ['-D', ...family, '-s', target.device, '-d', target.peer],
    ];
  }
  if (target.scope === 'port') {
    return to ? [['-D', '-p', target.protocol, '--dport', String(target.port)]] : [];
  }
  if (target.scope === 'device' && target.mac !== undefined) return [];
  const host = target.scope === 'cidr' ? `${target.network}/${target.prefix}` : target.address;
  // an admin who is blocked keeps the management session that runs
  if (guard.adminPrefixes.some((admin) => overlaps(admin, host))) return [];
  const service = target.scope === 'ip+port' ? ['-p', target.protocol, '--dport', String(target.port)] : [];
  const family = familyArguments(target.family);
  return [
    ...(from ? [['-D', ...family, '-s', host, ...service]] : []),
    // what it answers to is cut as well: the packets it sends are dropped
    ...(to || service.length === 0 ? [['-D', ...family, '-d', host, ...service]] : []),
  ];
}

function familyArguments(family: 'ipv4' | 'ipv6'): readonly string[] {
  return ['-f', family];
}

function overlaps(admin: string, host: string): boolean {
  const outer = parsePrefix(admin);
  const value = mustParsePrefix(host);
  return outer !== undefined && (contains(outer, value) || contains(value, outer));
}
