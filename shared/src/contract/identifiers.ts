/** Branded ids: UUIDv7 text, so that they sort by the time they were made; gateways are named by people. */
import { v7 } from 'uuid';
import { z } from 'zod';

/** Also the gateway's MQTT client id, certificate name and topic segment; hence no `/`, `+`, `#` or upper case. */
export const GatewayId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 1 to 64 characters')
  .brand<'GatewayId'>();
export type GatewayId = z.infer<typeof GatewayId>;

export const DeviceId = z.uuid().brand<'DeviceId'>();
export type DeviceId = z.infer<typeof DeviceId>;
export const AlertId = z.uuid().brand<'AlertId'>();
export type AlertId = z.infer<typeof AlertId>;
export const PredictionId = z.uuid().brand<'PredictionId'>();
export type PredictionId = z.infer<typeof PredictionId>;
export const DecisionId = z.uuid().brand<'DecisionId'>();
export type DecisionId = z.infer<typeof DecisionId>;
export const UnblockId = z.uuid().brand<'UnblockId'>();
export type UnblockId = z.infer<typeof UnblockId>;
export const RolloutId = z.uuid().brand<'RolloutId'>();
export type RolloutId = z.infer<typeof RolloutId>;
export const RuleId = z.uuid().brand<'RuleId'>();
export type RuleId = z.infer<typeof RuleId>;
export const UserId = z.uuid().brand<'UserId'>();
export type UserId = z.infer<typeof UserId>;
/** One run of an agent. */
export const BootId = z.uuid().brand<'BootId'>();
export type BootId = z.infer<typeof BootId>;

/** A new UUIDv7. The caller brands it: `newId() as AlertId`. */
export function newId(): string {
  return v7();
}
