/** Policies that are not to be believed, or not to be followed: each is refused by name and changes nothing. */
import { SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { decisionsTyp, type Policy, policyTyp } from '@picket/shared/contract/twin';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { policyOf } from '../testing/signed-policies.ts';
import { newKeyPair, TwinGateway, unconfirmedPolicy } from '../testing/twin-gateway.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

const minute = 60_000;

let gateway: TwinGateway;
beforeEach(async () => {
  gateway = await TwinGateway.create();
});
afterEach(() => gateway[Symbol.dispose]());

test.each<[string, () => Promise<string>, RegExp]>([
  ['tampered', async () => tamper(await gateway.policy(1)), /signature does not fit/],
  ['for another gateway', () => gateway.policy(1, { audience: GatewayId.parse('hall-2') }), /for the gateway hall-2/],
  ['expired', () => gateway.policy(1, { expires_at: new Date(Date.now() - 10 * minute).toISOString() }), /expired at/],
  [
    'signed by a key that is not ours',
    async () => gateway.sign(policyTyp, unconfirmedPolicy(1), { kid: 'key-2' }),
    /does not know/,
  ],
  [
    'signed by another key under our key’s name',
    async () => gateway.sign(policyTyp, unconfirmedPolicy(1), { key: await newKeyPair() }),
    /signature does not fit/,
  ],
  ['of the other kind of document', () => gateway.sign(decisionsTyp, unconfirmedPolicy(1)), /type is picket-decisions/],
  [
    'unsigned',
    async () => `${part({ alg: 'none', typ: policyTyp, kid: 'key-1' })}.${part(unconfirmedPolicy(1))}.`,
    /signature does not fit/,
  ],
  ['signed with the public key as a shared secret', hmacWithPublicKey, /signature does not fit/],
  [
    'of a shape that we do not know',
    () => gateway.sign(policyTyp, { ...unconfirmedPolicy(1), surprise: true }),
    /newer than this agent/,
  ],
  ['no JWS at all', async () => 'hello', /not a compact JWS/],
  ['too large', async () => 'a'.repeat(600_000), /larger than/],
])('a policy that is %s is refused and changes nothing', async (_what, make, reason) => {
  await using twin = await gateway.start();
  twin.desired.onPolicy(await make());
  await vi.waitFor(() => expect(twin.reported.policy).toMatchObject({ version: 0, step: 'refused' }), patience);
  expect(twin.reported.policy.detail).toMatch(reason);
  expect(gateway.policies).toEqual([]);
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
  await using twin = await gateway.start();
  twin.desired.onPolicy(await gateway.policy(1, more));
  await vi.waitFor(() => expect(twin.reported.policy).toMatchObject({ version: 0, step: 'refused' }), patience);
  expect(twin.reported.policy.detail).toMatch(reason);
  expect(gateway.policies).toEqual([]);
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
  const secret = Buffer.from(gateway.publicJwk.x ?? '', 'base64url');
  return new SignJWT({ ...unconfirmedPolicy(1) })
    .setProtectedHeader({ alg: 'HS256', typ: policyTyp, kid: 'key-1' })
    .sign(secret);
}
