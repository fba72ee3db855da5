/** What a gateway's policy says, and whether that differs from what was signed before. Pure. */
import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import { lowestThreshold, type Rule } from '@picket/shared/contract/rule';
import { Policy } from '@picket/shared/contract/twin';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import { provingProtocol } from './settled-policy.ts';

/** A policy without version and times. */
export type PolicyContent = Omit<Policy, 'audience' | 'version' | 'issued_at' | 'expires_at'>;

/** An agent that hears nothing for this long stops taking this policy as new; what it applied stays. */
export const policyLifetimeMs = 30 * 24 * 3_600_000;

/** Long enough for a busy gateway to connect twice, short enough that a lockout is a hiccup. */
const confirmWithinSeconds = 30;

export function policyContent(
  row: Selectable<GatewaysTable>,
  rules: readonly Rule[],
  unmonitored: readonly string[],
  bundle: BundleReference | undefined,
): PolicyContent {
  const { mode, threshold, guard } = Policy.pick({ mode: true, threshold: true, guard: true }).parse({
    mode: row.mode,
    threshold: row.threshold,
    guard: JSON.parse(row.guard) as unknown,
  });
  return {
    mode,
    threshold: settable(threshold),
    rules: rules.slice(0, 200).map((rule) => ({ ...rule, threshold: settable(rule.threshold) })),
    guard,
    report: { benign_sample: row.benign_sample },
    unmonitored: unmonitored.toSorted().slice(0, 1000),
    ...(bundle === undefined ? {} : { bundle }),
    ...(row.protocol < provingProtocol ? {} : { confirm_within_seconds: confirmWithinSeconds }),
  };
}

/**
 * A threshold as agents take it: rules of before there was a lowest one come back when a rollout is undone, and an agent
 * would refuse the whole policy for one of them.
 */
function settable(threshold: number | null): number | null {
  return threshold === null ? null : Math.max(threshold, lowestThreshold);
}

/** Equal content, equal hash: members always stand in the order in which `policyContent` writes them. */
export function hashOf(content: PolicyContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** A new version is due when the content changed, or when the signed one is past half of its life. */
export function isDue(row: Selectable<GatewaysTable>, content: PolicyContent, now: Date): boolean {
  if (row.policy_hash !== hashOf(content) || row.policy_issued_at === null) return true;
  return now.getTime() - Date.parse(row.policy_issued_at) > policyLifetimeMs / 2;
}

export function policyDocument(gateway: GatewayId, version: number, content: PolicyContent, now: Date): Policy {
  return Policy.parse({
    audience: gateway,
    version,
    issued_at: now.toISOString(),
    expires_at: new Date(now.getTime() + policyLifetimeMs).toISOString(),
    ...content,
  });
}
