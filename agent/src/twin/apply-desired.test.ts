import { exportJWK } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { policyTyp } from '@picket/shared/contract/twin';
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

test('a policy climbs the ladder and holds', async () => {
  await using twin = await gateway.start();
  twin.desired.onPolicy(await gateway.policy(1));
  await vi.waitFor(() => expect(twin.reported.policy).toMatchObject({ version: 1, step: 'verified' }), patience);
  expect(gateway.policies.map((applied) => applied.version)).toEqual([1]);
  await vi.waitFor(() => expect(gateway.link.reported.at(-1)?.policy.step).toBe('verified'), patience);
});

test('the policy holds again after a restart, before any controller answers, expired or not', async () => {
  {
    await using twin = await gateway.start();
    twin.desired.onPolicy(await gateway.policy(3, { expires_at: new Date(Date.now() + 1000).toISOString() }));
    await vi.waitFor(() => expect(gateway.policies).toHaveLength(1), patience);
    await vi.waitFor(() => expect(twin.reported.policy.step).toBe('verified'), patience);
  }
  vi.useFakeTimers({ now: Date.now() + 60 * minute, toFake: ['Date'] });
  try {
    await using twin = await gateway.start();
    expect(gateway.policies.map((applied) => applied.version)).toEqual([3, 3]);
    expect(twin.reported.policy).toMatchObject({ version: 3, step: 'verified' });
  } finally {
    vi.useRealTimers();
  }
});

test('an older policy is refused, after a restart too; the same one changes nothing', async () => {
  {
    await using twin = await gateway.start();
    twin.desired.onPolicy(await gateway.policy(5));
    await vi.waitFor(() => expect(twin.reported.policy.step).toBe('verified'), patience);
    twin.desired.onPolicy(await gateway.policy(5));
    await vi.waitFor(() => expect(gateway.link.reported.length).toBeGreaterThan(2), patience);
  }
  await using twin = await gateway.start();
  twin.desired.onPolicy(await gateway.policy(4, { mode: 'observe' }));
  await vi.waitFor(() => expect(twin.reported.policy).toMatchObject({ version: 5, step: 'refused' }), patience);
  expect(twin.reported.policy.detail).toMatch(/version 4 is older than 5/);
  expect(gateway.policies.map((applied) => applied.version)).toEqual([5, 5]);
  expect(twin.desired.refused).toBe(1);
});

test('a policy that cannot be applied is reported as failed and tried again when it comes again', async () => {
  await using twin = await gateway.start();
  gateway.failure = new Error('the kernel would not');
  twin.desired.onPolicy(await gateway.policy(1));
  await vi.waitFor(
    () => expect(twin.reported.policy).toMatchObject({ version: 1, step: 'failed', detail: 'the kernel would not' }),
    patience,
  );
  gateway.failure = undefined;
  twin.desired.onPolicy(await gateway.policy(1));
  await vi.waitFor(() => expect(twin.reported.policy.step).toBe('verified'), patience);
});

test('another controller, another key: its versions begin anew', async () => {
  {
    await using twin = await gateway.start();
    twin.desired.onPolicy(await gateway.policy(40));
    await vi.waitFor(() => expect(twin.reported.policy.step).toBe('verified'), patience);
  }
  const other = await newKeyPair();
  await using twin = await gateway.start([{ ...(await exportJWK(other.publicKey)), kid: 'key-2' }]);
  twin.desired.onPolicy(await gateway.sign(policyTyp, unconfirmedPolicy(1), { kid: 'key-2', key: other }));
  await vi.waitFor(() => expect(twin.reported.policy).toMatchObject({ version: 1, step: 'verified' }), patience);
});
