/** A policy that is proved while the disk under the agent's state is really full. */
import { join } from 'node:path';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { policyTyp, type Policy } from '@picket/shared/contract/twin';
import { requireSystem } from '../../../.ci/require-system.ts';
import { SmallDisk } from '../testing/small-disk.ts';
import { PolicyCommit } from './commit-policy.ts';
import { ReportedState } from './reported-state.ts';
import { DesiredVerifier } from './verify-desired.ts';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const hall = GatewayId.parse('hall-1');
const patience = { timeout: 60_000, interval: 20 };

describe.skipIf(!requireSystem('root', 'mount'))('on a full disk', () => {
  let disk: SmallDisk;
  let verifier: DesiredVerifier;
  let sign: (version: number, seconds?: number) => Promise<string>;
  /** Versions that held, in turn; 0: the gateway's own settings. */
  let held: number[];
  /** What happens when a new connection is tried. */
  let prove: () => void;

  beforeEach(async () => {
    disk = SmallDisk.mount();
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    verifier = await DesiredVerifier.create([{ ...(await exportJWK(pair.publicKey)), kid: 'key-1' }], hall);
    sign = (version, seconds = 600) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(content(version, seconds))))
        .setProtectedHeader({ alg: 'EdDSA', typ: policyTyp, kid: 'key-1' })
        .sign(pair.privateKey);
    held = [];
    prove = () => {};
  });
  afterEach(() => disk[Symbol.dispose]());

  function content(version: number, seconds: number): Policy {
    return {
      audience: hall,
      version,
      issued_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      mode: 'enforce',
      threshold: null,
      rules: [],
      guard: { admin_prefixes: [], management_ports: [22], never_block: [] },
      report: { benign_sample: 0.01 },
      unmonitored: [],
      confirm_within_seconds: seconds,
    };
  }

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

  test('what was proved holds, is told as not on disk, and is confirmed once there is room', async () => {
    const [first, second] = [await sign(1), await sign(2)];
    using state = openState();
    await using commit = await openCommit(state);
    commit.take(first);
    await vi.waitFor(() => expect(commit.reported).toMatchObject({ version: 1, step: 'confirmed' }), patience);

    prove = fillOnce(() => held.at(-1) === 2);
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
    expect([held.at(-1), commit.unsaved, onDisk().pending]).toEqual([2, 1, 3]);
    commit.take(third); // the broker keeps it, so it comes with each connection
    disk.makeRoom();
    await vi.waitFor(() => expect(commit.unsaved).toBe(0), patience);
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
