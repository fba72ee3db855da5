/** Rollouts of prevention rules as the API shows them: which gateway got them when, and what each made of it. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId, RolloutId } from './identifiers.ts';

export const RolloutState = z
  .enum(['running', 'halted', 'completed', 'rolled_back', 'superseded'])
  .describe(
    '`running`: wave by wave; `halted`: a gateway went silent with it, a person decides; `completed`: every gateway that was there holds it; `rolled_back`: a gateway put it back or a person aborted it, and all have what they had before; `superseded`: the rules were changed again.',
  );
export type RolloutState = z.infer<typeof RolloutState>;

export const RolloutGatewayState = z
  .enum(['released', 'confirmed', 'rolled_back', 'failed', 'silent'])
  .describe('`released`: it was given the rules; `silent`: and said nothing in time. The others are what it reported.');
export type RolloutGatewayState = z.infer<typeof RolloutGatewayState>;

export const StoredRollout = z
  .object({
    id: RolloutId,
    state: RolloutState,
    detail: z.string().nullable().describe('Why it halted or was rolled back.'),
    wave: z.int().nullable().describe("The latest one: 0 is the canaries'. Null: nobody was there yet."),
    started_at: Instant,
    started_by: z.string().describe('User name.'),
    updated_at: Instant,
    waiting: z.int().describe('Gateways that keep what they have until their wave comes or they come back.'),
    gateways: z
      .array(
        z.object({
          gateway_id: GatewayId,
          wave: z.int(),
          state: RolloutGatewayState,
          version: z.int().nullable().describe('Policy version that carries the rules; null: not signed yet.'),
          reverted_version: z
            .int()
            .nullable()
            .describe('Policy version that took them back; null: it has them, or never got that far.'),
          released_at: Instant,
          detail: z.string().nullable().describe('Why it failed, fell silent or put the rules back.'),
        }),
      )
      .describe('Those who had their turn.'),
  })
  .meta({ id: 'StoredRollout' });
export type StoredRollout = z.infer<typeof StoredRollout>;
