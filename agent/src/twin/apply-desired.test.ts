import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { GatewayId, newId } from '@picket/shared/contract/identifiers';
import { decisionsTyp, policyTyp } from '@picket/shared/contract/twin';
import type { Policy } from '@picket/shared/contract/twin';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { decision as decisionOf } from '../testing/decisions.ts';
import { MemoryLink } from '../testing/memory-link.ts';
import { policyOf } from '../testing/signed-policies.ts';
import { DesiredState } from './apply-desired.ts';
import type { DesiredTargets } from './apply-desired.ts';
import { ReportedState } from './reported-state.ts';
import { DesiredVerifier } from './verify-desired.ts';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const hall = GatewayId.parse('hall-1');
const minute = 60_000;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: Pair;
let publicJwk: JWK;
let folder: string;
let link: MemoryLink;
let policies: Policy[];
let held: Map<string, Decision>;
let lifted: string[];
let failure: Error | undefined;
let missing: ReadonlySet<string>;
let unblocks: string[];
let unblockOutcome: UnblockProof['outcome'];
let proofs: UnblockProof[];

beforeEach(async () => {
  pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'key-1' };
  folder = mkdtempSync(join(tmpdir(), 'picket-twin-'));
  link = new MemoryLink();
  link.connected = true;
  [policies, held, lifted, failure] = [[], new Map(), [], undefined];
  missing = new Set();
  [unblocks, unblockOutcome, proofs] = [[], 'released', []];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const targets: DesiredTargets = {
  applyPolicy: async (policy) => {
    if (failure !== undefined) throw failure;
    policies.push(policy);
  },
  applyOwnSettings: async () => {},
  verifyPolicy: async () => undefined,
  addDecisions: async (decisions) =>
    decisions.map((decision) => {
      held.set(decision.id, decision);
      return { decision, state: 'verified', at: new Date().toISOString(), detail: null };
    }),
  removeDecisions: async (ids) => {
    lifted.push(...ids);
    for (const id of ids) held.delete(id);
  },
  missingDecisions: () => missing,
  unblock: async (order) => {
    unblocks.push(order.value);
    return {
      unblock_id: order.id,
      at: new Date().toISOString(),
      outcome: unblockOutcome,
      removed: [],
      removed_count: 1,
      still_held: [],
      detail: null,
    };
  },
  proveUnblock: (proof) => proofs.push(proof),
  facts: () => ({ mode: 'simulate', model_version: 'm1', threshold: 0.5, in_force: held.size }),
};

interface Twin extends AsyncDisposable {
  readonly desired: DesiredState;
}

async function open(keys: readonly JWK[] = [publicJwk]): Promise<Twin> {
  const state = ReportedState.open(join(folder, 'twin.sqlite'), quiet);
  const desired = await DesiredState.open({
    verifier: await DesiredVerifier.create(keys, hall),
    state,
    targets,
    fetchSnapshot: () => link.fetchDecisions(),
    proveReachable: async () => {},
    sendReported: (reported) => link.sendReported(reported),
    log: quiet,
    retryMs: 5,
  });
  return {
    desired,
    [Symbol.asyncDispose]: async () => {
      await desired[Symbol.asyncDispose]();
      state[Symbol.dispose]();
    },
  };
}

async function sign(typ: string, document: object, more: { kid?: string; key?: Pair } = {}): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(document)))
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: more.kid ?? 'key-1' })
    .sign((more.key ?? pair).privateKey);
}

/** Of a controller that asks for no confirmation. */
function policy(version: number, more: Partial<Policy> = {}): Policy {
  return policyOf(version, { confirm_within_seconds: undefined, ...more });
}

const decision = (value: string): Decision => decisionOf({ value });

const envelope = () => ({
  audience: hall,
  issued_at: new Date().toISOString(),
  expires_at: new Date(Date.now() + 60 * minute).toISOString(),
});
const delta = (from: number, changes: object[]) =>
  sign(decisionsTyp, { ...envelope(), type: 'delta', from_version: from, version: from + changes.length, changes });
const head = (version: number) => sign(decisionsTyp, { ...envelope(), type: 'head', version });
const snapshot = (version: number, decisions: Decision[], gone: string[] = []) =>
  sign(decisionsTyp, { ...envelope(), type: 'snapshot', version, decisions, lifted: gone });

const rung = (twin: Twin, document: 'policy' | 'decisions') => twin.desired.reported[document];

test('a policy climbs the ladder and holds', async () => {
  await using twin = await open();
  twin.desired.onPolicy(await sign(policyTyp, policy(1)));
  await vi.waitFor(() => expect(rung(twin, 'policy')).toMatchObject({ version: 1, step: 'verified' }));
  expect(policies.map((applied) => applied.version)).toEqual([1]);
  await vi.waitFor(() => expect(link.reported.at(-1)?.policy.step).toBe('verified'));
});

test('the policy holds again after a restart, before any controller answers, expired or not', async () => {
  {
    await using twin = await open();
    twin.desired.onPolicy(await sign(policyTyp, policy(3, { expires_at: new Date(Date.now() + 1000).toISOString() })));
    await vi.waitFor(() => expect(policies).toHaveLength(1));
    await vi.waitFor(() => expect(rung(twin, 'policy').step).toBe('verified'));
  }
  vi.useFakeTimers({ now: Date.now() + 60 * minute, toFake: ['Date'] });
  try {
    await using twin = await open();
    expect(policies.map((applied) => applied.version)).toEqual([3, 3]);
    expect(rung(twin, 'policy')).toMatchObject({ version: 3, step: 'verified' });
  } finally {
    vi.useRealTimers();
  }
});

test('an older policy is refused, after a restart too; the same one changes nothing', async () => {
  {
    await using twin = await open();
    twin.desired.onPolicy(await sign(policyTyp, policy(5)));
    await vi.waitFor(() => expect(rung(twin, 'policy').step).toBe('verified'));
    twin.desired.onPolicy(await sign(policyTyp, policy(5)));
    await vi.waitFor(() => expect(link.reported.length).toBeGreaterThan(2));
  }
  await using twin = await open();
  twin.desired.onPolicy(await sign(policyTyp, policy(4, { mode: 'observe' })));
  await vi.waitFor(() => expect(rung(twin, 'policy')).toMatchObject({ version: 5, step: 'refused' }));
  expect(rung(twin, 'policy').detail).toMatch(/version 4 is older than 5/);
  expect(policies.map((applied) => applied.version)).toEqual([5, 5]);
  expect(twin.desired.refused).toBe(1);
});

test('a policy that cannot be applied is reported as failed and tried again when it comes again', async () => {
  await using twin = await open();
  failure = new Error('the kernel would not');
  twin.desired.onPolicy(await sign(policyTyp, policy(1)));
  await vi.waitFor(() =>
    expect(rung(twin, 'policy')).toMatchObject({ version: 1, step: 'failed', detail: 'the kernel would not' }),
  );
  failure = undefined;
  twin.desired.onPolicy(await sign(policyTyp, policy(1)));
  await vi.waitFor(() => expect(rung(twin, 'policy').step).toBe('verified'));
});

test.each<[string, () => Promise<string>, RegExp]>([
  ['tampered', async () => tamper(await sign(policyTyp, policy(1))), /signature does not fit/],
  [
    'for another gateway',
    () => sign(policyTyp, policy(1, { audience: GatewayId.parse('hall-2') })),
    /for the gateway hall-2/,
  ],
  [
    'expired',
    () => sign(policyTyp, policy(1, { expires_at: new Date(Date.now() - 10 * minute).toISOString() })),
    /expired at/,
  ],
  ['signed by a key that is not ours', async () => sign(policyTyp, policy(1), { kid: 'key-2' }), /does not know/],
  [
    'signed by another key under our key’s name',
    async () => sign(policyTyp, policy(1), { key: await generateKeyPair('EdDSA') }),
    /signature does not fit/,
  ],
  ['of the other kind of document', () => sign(decisionsTyp, policy(1)), /type is picket-decisions/],
  [
    'unsigned',
    async () => `${part({ alg: 'none', typ: policyTyp, kid: 'key-1' })}.${part(policy(1))}.`,
    /signature does not fit/,
  ],
  ['signed with the public key as a shared secret', hmacWithPublicKey, /signature does not fit/],
  ['of a shape that we do not know', () => sign(policyTyp, { ...policy(1), surprise: true }), /newer than this agent/],
  ['no JWS at all', async () => 'hello', /not a compact JWS/],
  ['too large', async () => 'a'.repeat(600_000), /larger than/],
])('a policy that is %s is refused and changes nothing', async (_what, make, reason) => {
  await using twin = await open();
  twin.desired.onPolicy(await make());
  await vi.waitFor(() => expect(rung(twin, 'policy')).toMatchObject({ version: 0, step: 'refused' }));
  expect(rung(twin, 'policy').detail).toMatch(reason);
  expect(policies).toEqual([]);
});

test.each<[string, Partial<Policy>, RegExp]>([
  [
    'holds everybody',
    { guard: { ...policyOf(1).guard, never_block: ['::/0'] } },
    /guard\.never_block\.0: ::\/0 is too wide/,
  ],
  [
    'lets everybody manage',
    { guard: { ...policyOf(1).guard, admin_prefixes: ['10.0.0.0/8', '0.0.0.0/0'] } },
    /guard\.admin_prefixes\.1: 0\.0\.0\.0\/0 is too wide/,
  ],
  ['calls everything an attack', { threshold: 0 }, /^threshold: at least 0\.01/],
  ['has a rule that does', { rules: [{ ...defaultRules[0]!, threshold: 0 }] }, /^rules\.0\.threshold: at least 0\.01/],
])('a policy that %s is refused by its field', async (_what, more, reason) => {
  await using twin = await open();
  twin.desired.onPolicy(await sign(policyTyp, policy(1, more)));
  await vi.waitFor(() => expect(rung(twin, 'policy')).toMatchObject({ version: 0, step: 'refused' }));
  expect(rung(twin, 'policy').detail).toMatch(reason);
  expect(policies).toEqual([]);
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function tamper(jws: string): string {
  const [header, payload, signature] = jws.split('.');
  const document = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as Policy;
  return `${header}.${part({ ...document, mode: 'observe' })}.${signature}`;
}

async function hmacWithPublicKey(): Promise<string> {
  const secret = Buffer.from(publicJwk.x ?? '', 'base64url');
  return new SignJWT({ ...policy(1) }).setProtectedHeader({ alg: 'HS256', typ: policyTyp, kid: 'key-1' }).sign(secret);
}

test('the log is verified only while the kernel holds what came from it, and says so by itself once it does', async () => {
  await using twin = await open();
  const [first, second] = [decision('192.0.2.1'), decision('192.0.2.2')];
  missing = new Set([first.id, newId()]); // another one is the gateway's own
  twin.desired.onDecisions(
    await delta(
      0,
      [first, second].map((each) => ({ op: 'add', decision: each })),
    ),
  );
  await vi.waitFor(() => expect(link.reported.at(-1)?.decisions).toMatchObject({ version: 2, step: 'applied' }));
  expect(rung(twin, 'decisions').detail).toBe('1 not in the kernel yet');
  missing = new Set([newId()]);
  twin.desired.onFactsChanged();
  await vi.waitFor(() =>
    expect(link.reported.at(-1)?.decisions).toMatchObject({ version: 2, step: 'verified', detail: null }),
  );
});

test('on a gateway whose clock is late no decision lasts longer; where it is fast, what is left out is told', async () => {
  await using twin = await open();
  const [late, inTime, over] = [decision('192.0.2.1'), decision('192.0.2.2'), decision('192.0.2.3')];
  const shifted = (each: Decision, byMs: number): Decision => ({
    ...each,
    created_at: new Date(Date.parse(each.created_at) + byMs).toISOString(),
    expires_at: new Date(Date.parse(each.expires_at) + byMs).toISOString(),
  });
  twin.desired.onDecisions(await delta(0, [{ op: 'add', decision: inTime }]));
  const days = 2 * 24 * 60 * minute;
  const ahead = {
    ...envelope(),
    issued_at: new Date(Date.now() + days + minute).toISOString(), // sent again, a minute after it was made
    type: 'delta',
    from_version: 1,
    version: 2,
    changes: [{ op: 'add', decision: shifted(late, days) }],
  };
  twin.desired.onDecisions(await sign(decisionsTyp, ahead));
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 2, step: 'verified', detail: null }));
  const leftMs = (id: string): number => Date.parse(held.get(id)?.expires_at ?? '') - Date.now();
  expect(leftMs(late.id)).toBeLessThanOrEqual(9 * minute);
  expect(leftMs(late.id)).toBeGreaterThan(5 * minute);
  expect(held.get(inTime.id)).toEqual(inTime);

  const sentAgo = 30 * minute;
  const message = {
    ...envelope(),
    issued_at: new Date(Date.now() - sentAgo).toISOString(),
    type: 'delta',
    from_version: 2,
    version: 3,
    changes: [{ op: 'add', decision: shifted(over, -sentAgo) }],
  };
  twin.desired.onDecisions(await sign(decisionsTyp, message));
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 3, step: 'verified' }));
  expect(rung(twin, 'decisions').detail).toBe('1 had run out when they came; is the clock of this gateway right?');
  expect(held.has(over.id)).toBe(false);
});

test('deltas follow one another; one that was heard before changes nothing', async () => {
  await using twin = await open();
  const [first, second] = [decision('192.0.2.1'), decision('192.0.2.2')];
  const one = await delta(0, [{ op: 'add', decision: first }]);
  twin.desired.onDecisions(one);
  twin.desired.onDecisions(
    await delta(1, [
      { op: 'add', decision: second },
      { op: 'delete', decision_id: first.id },
    ]),
  );
  twin.desired.onDecisions(one);
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 3, step: 'verified' }));
  expect([...held.keys()]).toEqual([second.id]);
});

test('a missed delta is made good by the snapshot, which takes back what came from the controller and nothing else', async () => {
  const [first, second, own] = [decision('192.0.2.1'), decision('192.0.2.2'), decision('192.0.2.3')];
  {
    await using twin = await open();
    twin.desired.onDecisions(await delta(0, [{ op: 'add', decision: first }]));
    await vi.waitFor(() => expect(held.size).toBe(1));
    held.set(own.id, own);
  }
  await using twin = await open();
  link.snapshot = await snapshot(7, [second], [newId()]);
  twin.desired.onDecisions(await delta(5, [{ op: 'add', decision: decision('192.0.2.9') }]));
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 7, step: 'verified' }));
  expect(new Set(held.keys())).toEqual(new Set([own.id, second.id]));
  expect(lifted).toContain(first.id);
});

test('a head beyond what we have asks for the snapshot until the door opens', async () => {
  await using twin = await open();
  link.snapshot = undefined;
  twin.desired.onDecisions(await head(2));
  await vi.waitFor(() => expect(link.fetches).toBeGreaterThan(1));
  link.snapshot = await snapshot(2, [decision('192.0.2.1')]);
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 2, in_force: 1 }));
});

test('a log that went backwards is refused, for a restored backup must not undo blocks', async () => {
  await using twin = await open();
  twin.desired.onDecisions(await delta(0, [{ op: 'add', decision: decision('192.0.2.1') }]));
  twin.desired.onDecisions(await head(0));
  await vi.waitFor(() => expect(rung(twin, 'decisions')).toMatchObject({ version: 1, step: 'refused' }));
  expect(rung(twin, 'decisions').detail).toMatch(/restored from a backup/);
  expect(held.size).toBe(1);
});

test('a snapshot over the broker is refused: only our own question may be answered by one', async () => {
  await using twin = await open();
  twin.desired.onDecisions(await snapshot(9, []));
  await vi.waitFor(() => expect(rung(twin, 'decisions').step).toBe('refused'));
});

const unblock = (id: string) =>
  sign(decisionsTyp, {
    ...envelope(),
    type: 'unblock',
    unblocks: [{ id, value: '192.0.2.1', include_prefixes: false, asked_at: new Date().toISOString() }],
  });

test('an unblock is done once and answered each time it is asked, after a restart too', async () => {
  const order = await unblock(newId());
  {
    await using twin = await open();
    twin.desired.onDecisions(order);
    await vi.waitFor(() => expect(proofs).toHaveLength(1));
  }
  await using twin = await open();
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(proofs).toHaveLength(2));
  expect(proofs[1]).toEqual(proofs[0]);
  expect(unblocks).toEqual(['192.0.2.1']);
});

test('an unblock that failed is tried again when it is asked for again', async () => {
  await using twin = await open();
  const order = await unblock(newId());
  unblockOutcome = 'failed';
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(proofs.at(-1)?.outcome).toBe('failed'));
  unblockOutcome = 'released';
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(proofs.at(-1)?.outcome).toBe('released'));
});

test('another controller, another key: its versions begin anew', async () => {
  {
    await using twin = await open();
    twin.desired.onPolicy(await sign(policyTyp, policy(40)));
    await vi.waitFor(() => expect(rung(twin, 'policy').step).toBe('verified'));
  }
  const other = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  await using twin = await open([{ ...(await exportJWK(other.publicKey)), kid: 'key-2' }]);
  twin.desired.onPolicy(await sign(policyTyp, policy(1), { kid: 'key-2', key: other }));
  await vi.waitFor(() => expect(rung(twin, 'policy')).toMatchObject({ version: 1, step: 'verified' }));
});

test('an unreadable memory is put aside and said', () => {
  writeFileSync(join(folder, 'twin.sqlite'), 'no database at all'.repeat(500));
  const said: unknown[] = [];
  using state = ReportedState.open(join(folder, 'twin.sqlite'), {
    error: (...what: unknown[]) => said.push(what),
  } as never);
  expect(said).toHaveLength(1);
  expect(state.version('key-1', 'policy')).toBe(0);
});
