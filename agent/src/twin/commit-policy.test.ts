import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import type { PolicyReported } from '@picket/shared/contract/twin';
import { createPolicySigner, type PolicySigner } from '../testing/signed-policies.ts';
import { PolicyCommit } from './commit-policy.ts';
import { ReportedState } from './reported-state.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

const quiet = { info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let verifier: PolicySigner['verifier'];
let sign: PolicySigner['sign'];
/** What holds on the gateway: versions, or `own`. */
let held: (number | 'own')[];
/** Whether a new connection comes through, by the version that holds. */
let reaches: (holding: number | 'own') => boolean;
let kernelProblem: string | undefined;
let applyFailure: string | undefined;
let told: PolicyReported[];
let proofs: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-commit-'));
  ({ verifier, sign } = await createPolicySigner());
  [held, told, proofs] = [['own'], [], 0];
  [kernelProblem, applyFailure] = [undefined, undefined];
  reaches = () => true;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Gateway extends AsyncDisposable {
  readonly commit: PolicyCommit;
  readonly state: ReportedState;
}

/** A restart is a second one: what an agent holds in memory and in the kernel begins with its own settings. */
async function start(): Promise<Gateway> {
  const state = ReportedState.open(join(folder, 'desired.sqlite'), quiet);
  held.push('own');
  let opened: PolicyCommit | undefined;
  const commit = await PolicyCommit.open({
    verifier,
    state,
    targets: {
      applyPolicy: async ({ version }) => {
        if (applyFailure !== undefined && version === 2) throw new Error(applyFailure);
        held.push(version);
      },
      applyOwnSettings: async () => void held.push('own'),
      verifyPolicy: async () => kernelProblem,
    },
    proveReachable: async () => {
      proofs += 1;
      if (!reaches(held.at(-1) ?? 'own')) throw new Error('broker: no answer in time');
    },
    onChanged: () => {
      if (opened !== undefined) told.push(opened.reported);
    },
    log: quiet,
    retryMs: 5,
  });
  opened = commit;
  return {
    commit,
    state,
    [Symbol.asyncDispose]: async () => {
      await commit[Symbol.asyncDispose]();
      state[Symbol.dispose]();
    },
  };
}

const until = (expected: Partial<PolicyReported>, gateway: Gateway): Promise<void> =>
  vi.waitFor(() => expect(gateway.commit.reported).toMatchObject(expected), { timeout: 60_000, interval: 5 });
const stepsOf = (gateway: Gateway): string[] => (gateway.commit.reported.steps ?? []).map(({ step }) => step);

test('a change is proved before and after over new connections, and every step is told', async () => {
  await using gateway = await start();
  gateway.commit.take(await sign(1));
  await until({ version: 1, step: 'confirmed', in_force: 1 }, gateway);
  expect(stepsOf(gateway)).toEqual(['validated', 'applied', 'verified', 'confirmed']);
  expect([held.at(-1), proofs]).toEqual([1, 2]);
  expect(gateway.state.pending()).toBeUndefined();
});

test('a change that cuts the gateway off is put back, told with the reason, and never tried again by itself', async () => {
  const bad = await sign(2);
  {
    await using gateway = await start();
    gateway.commit.take(await sign(1));
    await until({ step: 'confirmed' }, gateway);
    reaches = (holding) => holding !== 2;
    gateway.commit.take(bad);
    await until({ version: 2, step: 'rolled_back', in_force: 1 }, gateway);
    expect(gateway.commit.reported.detail).toMatch(
      /version 1 holds again: not confirmed within 1 s: broker: no answer/,
    );
    expect(stepsOf(gateway)).toEqual(['validated', 'applied', 'verified', 'rolled_back']);
    const [before, toldBefore] = [held.length, told.length];
    gateway.commit.take(bad); // the broker keeps it, so it comes with each connection
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(toldBefore), patience);
    expect(held.slice(before)).toEqual([]);
  }
  await using gateway = await start();
  await until({ version: 2, step: 'rolled_back', in_force: 1 }, gateway);
  expect(held.at(-1)).toBe(1);
  gateway.commit.take(bad);
  reaches = () => true;
  gateway.commit.take(await sign(3));
  await until({ version: 3, step: 'confirmed', in_force: 3 }, gateway);
  expect(held.slice(-2)).toEqual([1, 3]);
});

test('the first policy ever is undone to what the gateway says itself', async () => {
  await using gateway = await start();
  reaches = (holding) => holding === 'own';
  gateway.commit.take(await sign(1));
  await until({ version: 1, step: 'rolled_back', in_force: 0 }, gateway);
  expect(held.slice(-2)).toEqual([1, 'own']);
  expect(gateway.commit.reported.detail).toMatch(/own settings hold again/);
});

test('while the controller is away nothing is touched; when it is back the change is made', async () => {
  await using gateway = await start();
  reaches = () => false;
  gateway.commit.take(await sign(1));
  await until({ version: 1, step: 'received' }, gateway);
  expect(gateway.commit.reported.detail).toMatch(/waits, for the controller cannot be reached: broker/);
  await vi.waitFor(() => expect(proofs).toBeGreaterThan(3), patience);
  expect([held, gateway.state.pending()]).toEqual([['own', 'own'], undefined]);
  reaches = () => true;
  await until({ version: 1, step: 'confirmed' }, gateway);
});

test('a newer policy takes the place of one that waits; one of a stranger does not', async () => {
  await using gateway = await start();
  reaches = () => false;
  gateway.commit.take(await sign(1));
  await until({ version: 1, step: 'received' }, gateway);
  gateway.commit.take(await sign(7, { audience: GatewayId.parse('hall-2') }));
  await vi.waitFor(() => expect(gateway.commit.refused).toBe(1), patience);
  gateway.commit.take(await sign(2));
  await until({ version: 2, step: 'received' }, gateway);
  reaches = () => true;
  await until({ version: 2, step: 'confirmed' }, gateway);
  expect(held).toEqual(['own', 'own', 2]);
});

test('an outage in the middle of a change is no lockout: it is put back, waits, and is made', async () => {
  await using gateway = await start();
  let isAway = false;
  reaches = (holding) => {
    if (holding === 1 && held.length === 3) isAway = true; // goes away right after the change
    return !isAway;
  };
  gateway.commit.take(await sign(1));
  await until({ version: 1, step: 'received' }, gateway);
  expect(held).toEqual(['own', 'own', 1, 'own']);
  isAway = false;
  await until({ version: 1, step: 'confirmed', in_force: 1 }, gateway);
  expect(stepsOf(gateway)).not.toContain('rolled_back');
});

test('who dies between apply and confirm finds at the next start what held before', async () => {
  let gateway = await start();
  gateway.commit.take(await sign(1));
  await until({ step: 'confirmed' }, gateway);
  reaches = (holding) => holding !== 2;
  gateway.commit.take(await sign(2, { confirm_within_seconds: 600 }));
  await until({ version: 2, step: 'verified' }, gateway);
  gateway.state[Symbol.dispose](); // nothing is written from here on: as if the power went
  const dead = gateway;

  gateway = await start();
  expect(held.at(-1)).toBe(1);
  expect(gateway.commit.reported).toMatchObject({ version: 2, step: 'rolled_back', in_force: 1 });
  expect(gateway.commit.reported.detail).toMatch(/the agent ended before version 2 was confirmed/);
  await gateway[Symbol.asyncDispose]();
  await dead.commit[Symbol.asyncDispose]();
});

test('an agent that is stopped in time puts back first, and tries again after its start', async () => {
  const change = await sign(2, { confirm_within_seconds: 600 });
  {
    await using gateway = await start();
    gateway.commit.take(await sign(1));
    await until({ step: 'confirmed' }, gateway);
    reaches = (holding) => holding !== 2;
    gateway.commit.take(change);
    await until({ version: 2, step: 'verified' }, gateway);
  }
  expect(held.at(-1)).toBe(1);
  await using gateway = await start();
  await until({ version: 1, step: 'confirmed' }, gateway);
  reaches = () => true;
  gateway.commit.take(change);
  await until({ version: 2, step: 'confirmed' }, gateway);
});

test('a policy that cannot be applied leaves what held, and is tried when it comes again', async () => {
  await using gateway = await start();
  gateway.commit.take(await sign(1));
  await until({ step: 'confirmed' }, gateway);
  applyFailure = 'the kernel would not';
  gateway.commit.take(await sign(2));
  await until({ version: 2, step: 'failed', in_force: 1, detail: 'the kernel would not' }, gateway);
  expect([held.at(-1), gateway.state.pending()]).toEqual([1, undefined]);
  applyFailure = undefined;
  gateway.commit.take(await sign(2));
  await until({ version: 2, step: 'confirmed', in_force: 2 }, gateway);
});

test('a controller that asks for no confirmation gets none, and no members that it does not know', async () => {
  await using gateway = await start();
  gateway.commit.take(await sign(1, { confirm_within_seconds: undefined }));
  await until({ version: 1, step: 'verified' }, gateway);
  await vi.waitFor(() => expect(gateway.state.pending()).toBeUndefined(), patience);
  expect(Object.keys(gateway.commit.reported)).toEqual(['version', 'step', 'detail']);
  expect(proofs).toBe(0);
});

test('what the kernel does not hold is not called verified', async () => {
  await using gateway = await start();
  kernelProblem = 'not in the kernel: nft is missing';
  gateway.commit.take(await sign(1, { confirm_within_seconds: undefined }));
  await until({ version: 1, step: 'applied', detail: kernelProblem }, gateway);
  expect(told.map(({ step }) => step)).not.toContain('verified');
});
