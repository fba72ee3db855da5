/** Everything that restricts one address, prefix or MAC is lifted, and the kernel is read back: the proof says what became of it. */
import type { Decision } from '@picket/shared/contract/decision';
import type { UnblockOrder, UnblockProof } from '@picket/shared/contract/unblock';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { parseUnblockValue, restricts } from '@picket/shared/policy/unblock-value';
import type { Enforcer } from './enforcer.ts';

const maxNamed = 100;

/** `addressesOf`: what a device with this MAC is known by. Never rejects for the kernel's sake. */
export async function unblock(
  enforcer: Pick<Enforcer, 'list' | 'remove' | 'check' | 'problem' | 'holdsInKernel'>,
  order: UnblockOrder,
  addressesOf: (mac: string) => readonly string[],
): Promise<UnblockProof> {
  const wanted = parseUnblockValue(order.value);
  if (!wanted.ok) return proof(order, 'failed', { detail: wanted.reason });
  const removed: Decision[] = [];
  const stays: { decision: Decision; reason: string }[] = [];
  for (const { decision } of enforcer.list()) {
    const parsed = parseDecisionValue(decision.scope, decision.value);
    const relation = parsed.ok ? restricts(parsed.target, wanted.wanted, addressesOf) : undefined;
    if (relation === undefined) continue;
    if (isAskedForLater(decision, order)) stays.push({ decision, reason: 'asked for after the unblock' });
    else if (relation === 'covers' && !order.include_prefixes)
      stays.push({ decision, reason: `${decision.value} reaches beyond ${order.value}; include_prefixes lifts it` });
    else removed.push(decision);
  }
  if (removed.length > 0)
    await enforcer.remove(
      removed.map(({ id }) => id),
      'unblocked across the fleet',
    );
  await enforcer.check();
  const left = removed.filter(({ id }) => enforcer.holdsInKernel(id));
  const { problem } = enforcer;
  if (problem !== undefined || left.length > 0)
    return proof(order, 'failed', {
      removed,
      stays,
      detail: problem ?? `${left.length} are in the kernel yet: ${left[0]?.value ?? ''}`,
    });
  if (stays.length > 0) return proof(order, 'still_held', { removed, stays });
  return proof(order, removed.length > 0 ? 'released' : 'not_held', { removed });
}

/** By the controller's clock both; what a gateway decides by itself is by its own, and is lifted. */
function isAskedForLater(decision: Decision, order: UnblockOrder): boolean {
  const byPeople = decision.origin === 'analyst' || decision.origin === 'fleet';
  return byPeople && Date.parse(decision.created_at) > Date.parse(order.asked_at);
}

function proof(
  order: UnblockOrder,
  outcome: UnblockProof['outcome'],
  more: {
    readonly removed?: readonly Decision[];
    readonly stays?: readonly { readonly decision: Decision; readonly reason: string }[];
    readonly detail?: string;
  },
): UnblockProof {
  const { removed = [], stays = [], detail } = more;
  return {
    unblock_id: order.id,
    at: new Date().toISOString(),
    outcome,
    removed: removed.slice(0, maxNamed).map(name),
    removed_count: removed.length,
    still_held: stays
      .slice(0, maxNamed)
      .map(({ decision, reason }) => ({ ...name(decision), reason: reason.slice(0, 200) })),
    detail: detail?.slice(0, 500) ?? null,
  };
}

function name({ id, scope, value, origin }: Decision): UnblockProof['removed'][number] {
  return { decision_id: id, scope, value, origin };
}
