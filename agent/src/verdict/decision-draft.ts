/** What a rule asks for once its evidence is there: the narrowest restriction that stops the offender. */
import type { DeviceRef } from '@picket/shared/contract/address';
import type { Decision } from '@picket/shared/contract/decision';
import type { Rule } from '@picket/shared/contract/rule';
import type { Offender } from './offending-peer.ts';
import type { AttackClass } from './scored-window.ts';

/**
 * A decision before it is admitted. Whoever admits it gives it its times, for packet time may be years ago, and bends
 * `mode` (what the rule asks for at most) to that of the gateway.
 */
export type DecisionDraft = Omit<Decision, 'created_at' | 'expires_at'> & { readonly duration_seconds: number };

/** Who, what and which way, of one restriction. */
export type Restriction = Pick<Decision, 'action' | 'scope' | 'value' | 'direction'>;

/** Equal for restrictions that do the same. */
export function restrictionKey(restriction: Restriction): string {
  return `${restriction.action} ${restriction.scope} ${restriction.direction} ${restriction.value}`;
}

/** Empty for `alert_only`, and where no restriction would help. */
export function restrictionsFor(
  rule: Rule,
  offender: Offender,
  attack: AttackClass,
  device: DeviceRef,
  isInternal: boolean,
): readonly Restriction[] {
  if (rule.action === 'alert_only') return [];
  const gentle = rule.action === 'rate_limit' ? 'rate_limit' : 'block';
  switch (offender.kind) {
    case 'peers':
      if (isInternal && rule.action === 'quarantine') {
        return offender.peers.map((peer) => ({
          action: 'quarantine',
          scope: 'device',
          value: peer,
          direction: 'both',
        }));
      }
      return offender.peers.map((peer) => ({
        action: gentle,
        scope: 'ip',
        value: peer,
        direction: isInternal ? 'from' : 'both',
      }));
    case 'destination':
      if (rule.action === 'quarantine') return [quarantine(device)];
      return [{ action: gentle, scope: 'pair', value: `${offender.peer} ${device.address}`, direction: 'both' }];
    case 'device':
      if (rule.action === 'quarantine') return [quarantine(device)];
      return [{ action: gentle, scope: 'ip', value: device.address, direction: 'from' }];
    case 'target':
      // only a flood is stopped by letting less of everything through
      if (attack !== 'ddos_flood' && attack !== 'slow_rate') return [];
      return [
        offender.service === null
          ? { action: 'rate_limit', scope: 'ip', value: device.address, direction: 'to' }
          : {
              action: 'rate_limit',
              scope: 'ip+port',
              value: `${device.address} ${offender.service.protocol}/${offender.service.port}`,
              direction: 'to',
            },
      ];
  }
}

function quarantine(device: DeviceRef): Restriction {
  return { action: 'quarantine', scope: 'device', value: device.mac ?? device.address, direction: 'both' };
}
