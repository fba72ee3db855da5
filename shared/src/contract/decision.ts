/** Concrete restrictions: what the kernel is asked to do, to whom, until when and why. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { Instant } from './address.ts';
import { AlertId, DecisionId, RuleId } from './identifiers.ts';

export const Mode = z
  .enum(['observe', 'simulate', 'enforce'])
  .describe('`observe`: say nothing to the kernel; `simulate`: count there without a verdict; `enforce`.');
export type Mode = z.infer<typeof Mode>;

export const DecisionOrigin = z.enum(['model', 'rule', 'analyst', 'fleet', 'federation-test']);
export type DecisionOrigin = z.infer<typeof DecisionOrigin>;

export const DecisionAction = z
  .enum(['block', 'rate_limit', 'no_wan', 'quarantine'])
  .describe(
    'What a decision does to matching traffic. `no_wan` and `quarantine` are for devices: the first keeps one from everything beyond the LAN, the second from everything.',
  );
export type DecisionAction = z.infer<typeof DecisionAction>;

export const DecisionScope = z
  .enum(['ip', 'cidr', 'port', 'ip+port', 'device', 'pair'])
  .describe(
    'What `value` is: `ip` an address · `cidr` a prefix · `port` `tcp/22` · `ip+port` `192.0.2.1 tcp/22` (IPv6 `2001:db8::1 tcp/22`) · `device` a MAC or address of the LAN · `pair` `192.0.2.1 10.0.0.5` (peer, device).',
  );
export type DecisionScope = z.infer<typeof DecisionScope>;

export const DecisionDirection = z
  .enum(['from', 'to', 'both'])
  .describe('Which way the traffic goes that is cut, seen from the value.');
export type DecisionDirection = z.infer<typeof DecisionDirection>;

/** Longest a decision may last: 30 days. A decision always ends. */
export const maxDecisionSeconds = 30 * 24 * 3600;

export const Decision = z
  .strictObject({
    id: DecisionId,
    origin: DecisionOrigin,
    action: DecisionAction,
    scope: DecisionScope,
    value: z.string().min(1).max(100).describe('Canonical text, as `scope` has it.'),
    direction: DecisionDirection,
    created_at: Instant,
    expires_at: Instant.describe('It ends by itself then, whatever becomes of agent and controller.'),
    scenario: TrafficClass.or(z.string().max(100)).describe(
      "What it was made for: a class of attack, or a word of the analyst's.",
    ),
    mode: Mode.describe(
      "The mode at the time it was made; `simulate` counts and never drops, whatever the gateway's mode becomes.",
    ),
    reason: z.string().max(500).describe('For people.'),
    who: z.string().max(100).describe('The person, rule or model behind it.'),
    alert_id: AlertId.nullable().describe('The alert it was made for, or null.'),
    rule_id: RuleId.nullable().describe('The rule that made it, or null.'),
  })
  .meta({ id: 'Decision' });
export type Decision = z.infer<typeof Decision>;

export const DecisionState = z
  .enum(['proposed', 'refused', 'simulated', 'applied', 'verified', 'expired', 'retracted', 'failed'])
  .describe(
    'What became of a decision on one gateway. proposed → refused | simulated | applied → verified → expired | retracted; failed when the kernel would not.',
  );
export type DecisionState = z.infer<typeof DecisionState>;

export const DecisionEvent = z
  .strictObject({
    decision: Decision.describe('The whole decision, so that the controller knows those the gateway made by itself.'),
    state: DecisionState,
    at: Instant,
    detail: z.string().max(500).nullable().describe('Why it was refused or failed, or what was verified.'),
  })
  .meta({ id: 'DecisionEvent' });
export type DecisionEvent = z.infer<typeof DecisionEvent>;
