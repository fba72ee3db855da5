/** What stops an offender: the narrowest restriction that does, by the rule's action or by a step of its ladder. */
import type { DeviceRef } from '../contract/address.ts';
import type { Decision, DecisionAction } from '../contract/decision.ts';
import type { DeviceStep, Rule } from '../contract/rule.ts';
import type { AttackClass } from './judged-window.ts';
import type { Offender, Service } from './offender.ts';
import type { Source } from './source-prefix.ts';

/** Who, what and which way. */
export type Restriction = Pick<Decision, 'action' | 'scope' | 'value' | 'direction'>;

/** Equal for restrictions that do the same. */
export function restrictionKey(restriction: Restriction): string {
  return `${restriction.action} ${restriction.scope} ${restriction.direction} ${restriction.value}`;
}

/** Rules that only tell somebody. */
export function isTelling(rule: Rule): boolean {
  return rule.action === 'alert_only' || rule.action === 'webhook';
}

/** A limit on what reaches a target protects it and accuses nobody. */
export function isHeldAgainst({ action, direction }: Restriction): boolean {
  return !(action === 'rate_limit' && direction === 'to');
}

/** What a decision's `action` does to a host that is no device of ours. */
function gentle(rule: Rule): Extract<DecisionAction, 'block' | 'rate_limit'> {
  return rule.action === 'rate_limit' ? 'rate_limit' : 'block';
}

/** Against hosts beyond the LAN. */
export function restrictSource(rule: Rule, source: Source): Restriction {
  return { action: gentle(rule), ...source, direction: rule.direction ?? 'both' };
}

/** Only a flood is stopped by letting less of everything through. */
export function protectTarget(attack: AttackClass, device: DeviceRef, service: Service | null): readonly Restriction[] {
  if (attack !== 'ddos_flood' && attack !== 'slow_rate') return [];
  return [
    service === null
      ? { action: 'rate_limit', scope: 'ip', value: device.address, direction: 'to' }
      : {
          action: 'rate_limit',
          scope: 'ip+port',
          value: `${device.address} ${service.protocol}/${service.port}`,
          direction: 'to',
        },
  ];
}

/** Against a device of the LAN under a rule without a ladder. */
export function restrictDevice(rule: Rule, culprit: DeviceRef, offender: Offender): readonly Restriction[] {
  if (rule.action === 'no_wan' || rule.action === 'quarantine') return [wholeDevice(rule.action, culprit)];
  if (offender.kind === 'destination') return [pair(rule, offender.peer, culprit.address)];
  return [{ action: gentle(rule), scope: 'ip', value: culprit.address, direction: rule.direction ?? 'from' }];
}

/**
 * Where nobody can say which host speaks for the device: its conversation with one host outside, and as gently as the
 * rule begins with a device. No ladder is climbed on it.
 */
export function restrictConversation(rule: Rule, device: string, peer: string): readonly Restriction[] {
  const [first] = rule.device_ladder;
  if (first === 'observe') return [];
  const cut = pair(rule, peer, device);
  return [first === 'rate_limit' ? { ...cut, action: first } : cut];
}

/** `victim`: whom an attacked device names, where the culprit is one of its peers. Undefined: the step does not apply. */
export function restrictionOfStep(
  rule: Rule,
  step: DeviceStep,
  culprit: DeviceRef,
  offender: Offender,
  victim: string | undefined,
): readonly Restriction[] | undefined {
  switch (step) {
    case 'observe':
      return [];
    case 'cut_destination': {
      const destination = offender.kind === 'destination' ? offender.peer : victim;
      return destination === undefined ? undefined : [pair(rule, destination, culprit.address)];
    }
    case 'rate_limit':
      return [{ action: 'rate_limit', scope: 'device', value: culprit.mac ?? culprit.address, direction: 'from' }];
    case 'no_wan':
    case 'quarantine':
      return [wholeDevice(step, culprit)];
  }
}

function pair(rule: Rule, peer: string, device: string): Restriction {
  return { action: gentle(rule), scope: 'pair', value: `${peer} ${device}`, direction: rule.direction ?? 'both' };
}

function wholeDevice(action: 'no_wan' | 'quarantine', device: DeviceRef): Restriction {
  return { action, scope: 'device', value: device.mac ?? device.address, direction: 'both' };
}
