/** Roll-outs of prevention rules as the API shows them: which gateway got them when, and what each made of it. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId, RolloutId } from './identifiers.ts';

/**
 * `running`: wave by wave; `halted`: a gateway went silent with it, a person decides; `completed`: every gateway that
 * was there holds it; `rolled_back`: a gateway put it back or a person aborted it, and all have what they had before;
 * `superseded`: the rules were changed again.
 */
export const RolloutState = z.enum(['running', 'halted', 'completed', 'rolled_back', 'superseded']);
export type RolloutState = z.infer<typeof RolloutState>;

/** `released`: it was given the rules; `silent`: and said nothing in time. The others are what it reported. */
export const RolloutGatewayState = z.enum(['released', 'confirmed', 'rolled_back', 'failed', 'silent']);
export type RolloutGatewayState = z.infer<typeof RolloutGatewayState>;

export const StoredRollout = z.object({
  id: RolloutId,
  state: RolloutState,
  /** Why it halted or was rolled back. */
  detail: z.string().nullable(),
  /** Of the canaries: 0. Null: nobody was there yet. */
  wave: z.int().nullable(),
  started_at: Instant,
  started_by: z.string(),
  updated_at: Instant,
  /** Gateways that keep what they have until their wave comes or they come back. */
  waiting: z.int(),
  gateways: z.array(
    z.object({
      gateway_id: GatewayId,
      wave: z.int(),
      state: RolloutGatewayState,
      /** Policy version that carries the rules; null: not signed yet. */
      version: z.int().nullable(),
      /** Policy version that took them back; null: it has them, or never got that far. */
      reverted_version: z.int().nullable(),
      released_at: Instant,
      detail: z.string().nullable(),
    }),
  ),
});
export type StoredRollout = z.infer<typeof StoredRollout>;
