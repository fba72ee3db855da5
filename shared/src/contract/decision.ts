/** Concrete restrictions: what the kernel is asked to do, to whom, until when and why. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { Instant } from './address.ts';
import { AlertId, DecisionId, RuleId } from './identifiers.ts';

/** `observe`: say nothing to the kernel; `simulate`: count there without a verdict; `enforce`. */
export const Mode = z.enum(['observe', 'simulate', 'enforce']);
export type Mode = z.infer<typeof Mode>;

export const DecisionOrigin = z.enum(['model', 'rule', 'analyst', 'fleet', 'federation-test']);
export type DecisionOrigin = z.infer<typeof DecisionOrigin>;

/**
 * What a decision does to matching traffic. `no_wan` and `quarantine` are for devices: the first keeps one from
 * everything beyond the LAN, the second from everything.
 */
export const DecisionAction = z.enum(['block', 'rate_limit', 'no_wan', 'quarantine']);
export type DecisionAction = z.infer<typeof DecisionAction>;

/**
 * What `value` is:
 * `ip` an address · `cidr` a prefix · `port` `tcp/22` · `ip+port` `192.0.2.1 tcp/22` (IPv6 `2001:db8::1 tcp/22`) ·
 * `device` a MAC or address of the LAN · `pair` `192.0.2.1 10.0.0.5` (peer, device).
 */
export const DecisionScope = z.enum(['ip', 'cidr', 'port', 'ip+port', 'device', 'pair']);
export type DecisionScope = z.infer<typeof DecisionScope>;

/** Which way the traffic goes that is cut, seen from the value. */
export const DecisionDirection = z.enum(['from', 'to', 'both']);
export type DecisionDirection = z.infer<typeof DecisionDirection>;

/** Longest a decision may last: 30 days. A decision always ends. */
export const maxDecisionSeconds = 30 * 24 * 3600;

export const Decision = z.strictObject({
  id: DecisionId,
  origin: DecisionOrigin,
  action: DecisionAction,
  scope: DecisionScope,
  value: z.string().min(1).max(100),
  direction: DecisionDirection,
  created_at: Instant,
  expires_at: Instant,
  /** What it was made for: a class of attack, or a word of the analyst's. */
  scenario: TrafficClass.or(z.string().max(100)),
  /** The mode at the time it was made; `simulate` counts and never drops, whatever the gateway's mode becomes. */
  mode: Mode,
  reason: z.string().max(500),
  /** The person, rule or model behind it. */
  who: z.string().max(100),
  alert_id: AlertId.nullable(),
  rule_id: RuleId.nullable(),
});
export type Decision = z.infer<typeof Decision>;

/**
 * What became of a decision on one gateway.
 * proposed → refused | simulated | applied → verified → expired | retracted; failed when the kernel would not.
 */
export const DecisionState = z.enum([
  'proposed',
  'refused',
  'simulated',
  'applied',
  'verified',
  'expired',
  'retracted',
  'failed',
]);
export type DecisionState = z.infer<typeof DecisionState>;

export const DecisionEvent = z.strictObject({
  /** The whole decision, so that the controller knows those the gateway made by itself. */
  decision: Decision,
  state: DecisionState,
  at: Instant,
  /** Why it was refused or failed, or what was verified. */
  detail: z.string().max(500).nullable(),
});
export type DecisionEvent = z.infer<typeof DecisionEvent>;
