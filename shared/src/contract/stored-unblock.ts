/** Unblocks as the API shows and takes them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId, UnblockId } from './identifiers.ts';
import { UnblockOutcome, UnblockProof } from './unblock.ts';

export const NewUnblock = z.strictObject({
  value: z.string().trim().min(1).max(100),
  /** Also lift prefixes that reach beyond the value. */
  include_prefixes: z.boolean().default(false),
  reason: z.string().trim().min(1).max(500),
  /** Left out: every enrolled gateway. */
  gateways: z.array(GatewayId).min(1).max(10_000).optional(),
});
export type NewUnblock = z.infer<typeof NewUnblock>;

/** One gateway's answer. `owing`: none yet; it is asked again when it comes back, and while it is there. */
export const GatewayUnblock = z.object({
  gateway_id: GatewayId,
  state: z.enum(['owing', ...UnblockOutcome.options]),
  /** When the kernel was read back; null while it owes the answer. */
  at: Instant.nullable(),
  removed: UnblockProof.shape.removed,
  removed_count: z.int(),
  still_held: UnblockProof.shape.still_held,
  detail: z.string().nullable(),
});
export type GatewayUnblock = z.infer<typeof GatewayUnblock>;

export const StoredUnblock = z.object({
  id: UnblockId,
  value: z.string(),
  include_prefixes: z.boolean(),
  reason: z.string(),
  asked_by: z.string(),
  asked_at: Instant,
  /** Every gateway answered, and none failed. */
  done: z.boolean(),
  /** Gateways that owe an answer, or whose kernel would not. */
  owing: z.int(),
  gateways: z.array(GatewayUnblock),
});
export type StoredUnblock = z.infer<typeof StoredUnblock>;
