/** A policy that is proved while the disk under the agent's state is really full. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { createPolicySigner, type PolicySigner } from '../testing/signed-policies.ts';
import { SmallDisk } from '../testing/small-disk.ts';
import { PolicyCommit } from './commit-policy.ts';
import { ReportedState } from './reported-state.ts';

vi.setConfig({ testTimeout: 400_000 });

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const patience = { timeout: 60_000, interval: 20 };

describe.skipIf(!requireSystem('root', 'mount'))('on a full disk', () => {
  let disk: SmallDisk;
  let verifier: PolicySigner['verifier'];
  let sign: (version: number, seconds?: number) => Promise<string>;
  /** Versions that held, in turn; 0: the gateway's own settings. */
  let held: number[];
  /** What happens when a new connection is tried. */
  let prove: () => void;

  beforeEach(async () => {
    disk = SmallDisk.mount();
    const signer = await createPolicySigner();
    verifier = signer.verifier;
    sign = (version, seconds = 600) => signer.sign(version, { confirm_within_seconds: seconds });
    held = [];
    prove = () => {};
  });
  afterEach(() => disk[Symbol.dispose]());

  const slot = (): string => join(disk.folder, 'desired.sqlite.outcome');
  const openState = (): ReportedState => ReportedState.open(join(disk.folder, 'desired.sqlite'), quiet);
  const openCommit = (state: ReportedState): Promise<PolicyCommit> =>
    PolicyCommit.open({
      verifier,
      state,
      targets: {
        applyPolicy: async ({ version }) => void held.push(version),
        applyOwnSettings: async () => void held.push(0),
        verifyPolicy: async () => undefined,
      },
      proveReachable: async () => prove(),
      onChanged: () => {},
      log: quiet,
      retryMs: 5,
    });

  /** What a gateway finds that starts after a power cut now. */
  function onDisk(): { readonly policy: string | undefined; readonly pending: number | undefined } {
    using state = openState();
    return { policy: state.policy(), pending: state.pending()?.version };
  }

  test('what was proved is on a disk that filled up meanwhile, and outlives the power cut that follows', async () => {
    const [first, second] = [await sign(1), await sign(2)];
    using state = openState();
    await using commit = await openCommit(state);
    commit.take(first);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 1, step: 'confirmed' }), patience);

    prove = fillOnce(() => held.at(-1) === 2);
    commit.take(second);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 2, step: 'confirmed' }), patience);
    expect([commit.unsaved, state.isBehind, state.policy()]).toEqual([0, true, second]);
    {
      using found = openState(); // as after kill -9, and the disk is full yet
      await using after = await openCommit(found);
      expect([found.policy(), found.pending(), found.unsaved]).toEqual([second, undefined, 0]);
      expect(after.reported).toMatchObject({ version: 2, step: 'confirmed', in_force: 2 });
    }
    expect(held).toEqual([1, 2, 2]);

    disk.makeRoom();
    await vi.waitFor(() => expect(state.isBehind).toBe(false), patience);
    rmSync(slot()); // the database has it by itself now
    expect(onDisk()).toEqual({ policy: second, pending: undefined });
  });

  test('what was proved and cannot be written at all holds, is told as such, and is confirmed once there is room', async () => {
    const [first, second] = [await sign(1), await sign(2)];
    using state = openState();
    await using commit = await openCommit(state);
    commit.take(first);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 1, step: 'confirmed' }), patience);

    prove = fillOnce(() => {
      if (held.at(-1) !== 2) return false;
      rmSync(slot());
      return true;
    });
    commit.take(second);
    await vi.waitFor(() => expect(commit.unsaved).toBe(1), patience);
    expect(commit.reported).toMatchObject({ version: 2, step: 'verified', in_force: 2 });
    expect(commit.reported.detail).toMatch(/proved, but not on disk/);
    expect([held.at(-1), state.policy()]).toEqual([2, second]);
    expect(onDisk(), 'a power cut now would undo it').toEqual({ policy: first, pending: 2 });

    disk.makeRoom();
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ step: 'confirmed', detail: null }), patience);
    expect(commit.unsaved).toBe(0);
    expect(onDisk()).toEqual({ policy: second, pending: undefined });
    expect(held).toEqual([1, 2]);
    await using _after = await openCommit(openState()); // as after kill -9: nobody closed the first one
    expect(held).toEqual([1, 2, 2]);
  });

  test('a change that comes to a full disk waits untouched, and is made once there is room', async () => {
    using state = openState();
    await using commit = await openCommit(state);
    commit.take(await sign(1));
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 1, step: 'confirmed' }), patience);
    disk.fill();
    commit.take(await sign(2));
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 2, step: 'received' }), patience);
    expect(commit.reported.detail).toMatch(/waits.*full/);
    expect(held).toEqual([1]);
    disk.makeRoom();
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 2, step: 'confirmed' }), patience);
    expect(held).toEqual([1, 2]);
  });

  test('what was put back stays put back, and the next change falls back to what was proved', async () => {
    const [first, second, third] = [await sign(1), await sign(2), await sign(3, 1)];
    using state = openState();
    await using commit = await openCommit(state);
    commit.take(first);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 1, step: 'confirmed' }), patience);
    commit.take(second);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 2, step: 'confirmed' }), patience);
    const fillWith3 = fillOnce(() => held.at(-1) === 3);
    prove = () => {
      fillWith3();
      if (held.at(-1) === 3) throw new Error('broker: no answer in time');
    };
    commit.take(third);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 3, step: 'rolled_back' }), patience);
    expect([held.at(-1), commit.unsaved, state.isBehind, onDisk()]).toEqual([
      2,
      0,
      true,
      { policy: second, pending: undefined },
    ]);
    commit.take(third); // the broker keeps it, so it comes with each connection
    disk.makeRoom();
    await vi.waitFor(() => expect(state.isBehind).toBe(false), patience);
    expect(onDisk()).toEqual({ policy: second, pending: undefined });
    expect(held).toEqual([1, 2, 3, 2]);
  });

  function fillOnce(isTime: () => boolean): () => void {
    let isFull = false;
    return () => {
      if (isFull || !isTime()) return;
      isFull = true;
      disk.fill();
    };
  }
});
