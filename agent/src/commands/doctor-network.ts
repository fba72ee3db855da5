/**
 * What `doctor` says of what the agent takes for granted of its network: which addresses are devices of the LAN, and whom
 * the gateway itself asks for names.
 */
import { networkInterfaces } from 'node:os';
import { contains, parsePrefix, type Prefix } from '@picket/shared/policy/prefix';
import { readSystemGuard } from '../enforcement/system-guard.ts';
import { resolversOf } from '../gateway-guard.ts';
import type { Finding } from './doctor-kernel.ts';

/**
 * `onLink`: addresses with their lengths on the interface that is watched. One outside the LAN's prefixes means that
 * devices beside it are taken for hosts of the outside: with IPv6 they have such addresses wherever there is a provider.
 */
export function checkLanPrefixes(
  name: string,
  onLink: readonly string[],
  lanPrefixes: readonly string[],
): readonly Finding[] {
  const check = 'LAN prefixes';
  const networks = onLink.flatMap((text) => parsePrefix(text) ?? []);
  if (networks.length === 0) return [];
  const lan = lanPrefixes.flatMap((text) => parsePrefix(text) ?? []);
  const missing = networks.filter((network) => !lan.some((outer) => contains(outer, network)));
  return [
    missing.length === 0
      ? { check, state: 'ok', detail: `hosts beside ${name} are devices of the LAN` }
      : {
          check,
          state: 'warning',
          detail: `${[...new Set(missing.map(textOf))].join(', ')} on ${name} is not in lan_prefixes: devices are taken for outside hosts where they use it; add it, or watch the LAN side`,
        },
  ];
}

/** Whom a block must not cut the gateway off from. */
export function checkResolvers(resolvers: readonly string[]): readonly Finding[] {
  const check = 'resolver';
  return [
    resolvers.length > 0
      ? {
          check,
          state: 'ok',
          detail: `this gateway asks ${resolvers.join(', ')} for names, and no block keeps it from that`,
        }
      : {
          check,
          state: 'warning',
          detail:
            'whom this gateway asks for names is not known, so that a block could cut it off from them: list it in guard.never_block',
        },
  ];
}

/** Of this machine. `name`: the interface that is watched. */
export async function examineNetwork(name: string, lanPrefixes: readonly string[]): Promise<readonly Finding[]> {
  const onLink = (networkInterfaces()[name] ?? []).flatMap(({ cidr, internal }) =>
    internal || cidr === null ? [] : [cidr],
  );
  return [...checkLanPrefixes(name, onLink, lanPrefixes), ...checkResolvers(resolversOf(await readSystemGuard()))];
}

function textOf({ network, length }: Prefix): string {
  return `${network}/${length}`;
}
