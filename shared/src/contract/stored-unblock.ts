/** Unblocks as the API shows and takes them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId, UnblockId } from './identifiers.ts';
import { UnblockOutcome, UnblockProof } from './unblock.ts';

export const NewUnblock = z
  .strictObject({
    value: z.string().trim().min(1).max(100).describe('An address, a prefix (and all inside it) or a MAC.'),
    include_prefixes: z.boolean().default(false).describe('Also lift prefixes that reach beyond the value.'),
    reason: z.string().trim().min(1).max(500).describe('Kept in the audit log.'),
    gateways: z.array(GatewayId).min(1).max(10_000).optional().describe('Left out: every enrolled gateway.'),
  })
  .meta({ id: 'NewUnblock' });
export type NewUnblock = z.infer<typeof NewUnblock>;

/** One gateway's answer. `owing`: none yet; it is asked again when it comes back, and while it is there. */
export const GatewayUnblock = z
  .object({
    gateway_id: GatewayId,
    state: z.enum(['owing', ...UnblockOutcome.options]).describe('`owing`: it has not answered yet.'),
    at: Instant.nullable().describe('When the kernel was read back; null while it owes the answer.'),
    removed: UnblockProof.shape.removed,
    removed_count: z.int().describe('Decisions that it removed.'),
    still_held: UnblockProof.shape.still_held,
    detail: z.string().nullable().describe('Why it failed.'),
  })
  .meta({ id: 'GatewayUnblock' });
export type GatewayUnblock = z.infer<typeof GatewayUnblock>;

export const StoredUnblock = z
  .object({
    id: UnblockId,
    value: z.string(),
    include_prefixes: z.boolean(),
    reason: z.string(),
    asked_by: z.string().describe('User name.'),
    asked_at: Instant,
    done: z.boolean().describe('Every gateway answered, and none failed.'),
    owing: z.int().describe('Gateways that owe an answer, or whose kernel would not.'),
    gateways: z.array(GatewayUnblock),
  })
  .meta({ id: 'StoredUnblock' });
export type StoredUnblock = z.infer<typeof StoredUnblock>;
