import { expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import type { UnblockId } from '@picket/shared/contract/identifiers';
import type { UnblockOrder } from '@picket/shared/contract/unblock';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { emptyGuard } from './guard.ts';
import { decision as anyDecision } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { unblock } from './unblock.ts';

const asked = '2026-11-21T08:00:00.000Z';
const clock = () => Date.parse('2026-11-21T08:00:05.000Z');

/** The gateway's own, of the hour before. */
function decision(changes: Partial<Decision>): Decision {
  const expires = '2026-11-21T09:00:00.000Z';
  return anyDecision(
    { origin: 'model', value: '192.0.2.7', expires_at: expires, ...changes },
    Date.parse('2026-11-21T07:00:00.000Z'),
  );
}

function order(changes: Partial<UnblockOrder> = {}): UnblockOrder {
  return { id: newId() as UnblockId, value: '192.0.2.7', include_prefixes: false, asked_at: asked, ...changes };
}

async function holding(decisions: readonly Decision[], firewall = new MemoryFirewall()) {
  const store = DecisionStore.open({ path: ':memory:' });
  const enforcer = await Enforcer.open({
    store,
    firewall,
    guard: emptyGuard,
    mode: 'enforce',
    onEvent: () => {},
    log: { info: () => {}, warn: () => {} },
    now: clock,
  });
  await enforcer.add(decisions);
  return {
    enforcer,
    async [Symbol.asyncDispose](): Promise<void> {
      await enforcer[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}

const ofMac = (mac: string): readonly string[] => (mac === '02:00:00:00:00:07' ? ['192.0.2.7'] : []);

test('everything that names the address is lifted, whoever decided it, and read back from the kernel', async () => {
  const named = [
    decision({}),
    decision({ scope: 'ip+port', value: '192.0.2.7 tcp/22', origin: 'analyst' }),
    decision({ scope: 'pair', value: '192.0.2.7 10.0.0.5' }),
    decision({ scope: 'device', value: '02:00:00:00:00:07', action: 'quarantine' }),
  ];
  const other = decision({ value: '192.0.2.8' });
  await using held = await holding([...named, other]);
  const proof = await unblock(held.enforcer, order(), ofMac);
  expect(proof).toMatchObject({ outcome: 'released', removed_count: 4, still_held: [], detail: null });
  expect(new Set(proof.removed.map((one) => one.decision_id))).toEqual(new Set(named.map((one) => one.id)));
  expect(held.enforcer.list().map((one) => one.decision.id)).toEqual([other.id]);
  expect(named.some((one) => held.enforcer.holdsInKernel(one.id))).toBe(false);
});

test('a gateway that holds nothing says so', async () => {
  await using held = await holding([decision({ value: '192.0.2.8' })]);
  expect(await unblock(held.enforcer, order(), ofMac)).toMatchObject({ outcome: 'not_held', removed_count: 0 });
});

test('a prefix around it stays and is named, unless prefixes are included', async () => {
  const prefix = decision({ scope: 'cidr', value: '192.0.2.0/24' });
  await using held = await holding([prefix, decision({})]);
  const first = await unblock(held.enforcer, order(), ofMac);
  expect(first).toMatchObject({ outcome: 'still_held', removed_count: 1, still_held: [{ decision_id: prefix.id }] });
  expect(first.still_held[0]?.reason).toMatch(/reaches beyond 192\.0\.2\.7/);
  const second = await unblock(held.enforcer, order({ include_prefixes: true }), ofMac);
  expect(second).toMatchObject({ outcome: 'released', removed: [{ decision_id: prefix.id }] });
});

test('what a person asked for after the unblock stays; what the gateway decided by itself does not', async () => {
  const later = '2026-11-21T08:00:01.000Z';
  const block = decision({ origin: 'analyst', created_at: later });
  const own = decision({ origin: 'model', created_at: later });
  await using held = await holding([block, own]);
  expect(await unblock(held.enforcer, order(), ofMac)).toMatchObject({
    outcome: 'still_held',
    removed: [{ decision_id: own.id }],
    still_held: [{ decision_id: block.id, reason: 'asked for after the unblock' }],
  });
});

test('a kernel that will not let go is no proof', async () => {
  const firewall = new MemoryFirewall();
  await using held = await holding([decision({})], firewall);
  firewall.failure = new Error('nft: Operation not permitted');
  const proof = await unblock(held.enforcer, order(), ofMac);
  expect(proof).toMatchObject({ outcome: 'failed', detail: 'nft: Operation not permitted' });
});
