/** Fleet-wide unblock: one order to every gateway, and from each the proof of what it did, read back from its kernel. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { DecisionOrigin, DecisionScope } from './decision.ts';
import { DecisionId, UnblockId } from './identifiers.ts';

/** Lift whatever restricts this address, prefix or MAC, of whatever origin. */
export const UnblockOrder = z
  .strictObject({
    id: UnblockId,
    value: z.string().min(1).max(100).describe('An address, a prefix (and all inside it) or a MAC; canonical text.'),
    include_prefixes: z
      .boolean()
      .describe('Also lift prefixes that reach beyond the value; else they are left, and named.'),
    asked_at: Instant.describe('What people asked for after this instant stays.'),
  })
  .meta({ id: 'UnblockOrder' });
export type UnblockOrder = z.infer<typeof UnblockOrder>;

const NamedDecision = z.strictObject({
  decision_id: DecisionId,
  scope: DecisionScope,
  value: z.string().max(100),
  origin: DecisionOrigin,
});

export const UnblockOutcome = z
  .enum(['released', 'not_held', 'still_held', 'failed'])
  .describe(
    '`released`: lifted, and read back that the kernel holds it no more; `not_held`: nothing here restricted it; `still_held`: something restricts it yet, `still_held` says what and why; `failed`: the kernel would not, and it is tried again.',
  );
export type UnblockOutcome = z.infer<typeof UnblockOutcome>;

/** Told through the outbox once the kernel was read back. */
export const UnblockProof = z
  .strictObject({
    unblock_id: UnblockId,
    at: Instant.describe("When the kernel was read back, by the gateway's clock."),
    outcome: UnblockOutcome,
    removed: z.array(NamedDecision).max(100).describe('The first 100 that it removed; `removed_count` has them all.'),
    removed_count: z.int().min(0),
    still_held: z
      .array(NamedDecision.extend({ reason: z.string().max(200) }))
      .max(100)
      .describe('What still restricts the value, and why.'),
    detail: z.string().max(500).nullable().describe('Why it failed.'),
  })
  .meta({ id: 'UnblockProof' });
export type UnblockProof = z.infer<typeof UnblockProof>;
