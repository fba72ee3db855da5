/** The store of decisions on a disk that is really full. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { SmallDisk } from '../testing/small-disk.ts';
import { DecisionStore } from './decision-store.ts';

vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(!requireSystem('root', 'mount'))('on a full disk', () => {
  let disk: SmallDisk;
  let path: string;

  beforeEach(() => {
    disk = SmallDisk.mount();
    path = join(disk.folder, 'decisions.sqlite');
  });
  afterEach(() => disk[Symbol.dispose]());

  test('decisions are held in memory, counted, and written down once there is room', () => {
    const nowMs = Date.now();
    const [kept, lifted, removed] = [decision({}, nowMs), decision({}, nowMs), decision({}, nowMs)];
    const late = Array.from({ length: 400 }, () => decision({}, nowMs));
    const ids = (store: DecisionStore): string[] =>
      store
        .all()
        .map(({ id }) => id)
        .toSorted();
    const store = DecisionStore.open({ path });
    store.put([kept, lifted, removed]);
    disk.fill();
    expect(() => store.put(late)).toThrow(/full/);
    expect(() => store.lift([lifted.id], nowMs)).toThrow(/full/);
    expect(() => store.remove([removed.id, late[0]!.id])).toThrow(/full/);
    expect(store.unsaved, 'those put, but for the one that came and went, and the two that are to go').toBe(401);
    expect([...store.liftedAmong([lifted.id, kept.id])]).toEqual([lifted.id]);
    const wanted = ids(store);
    expect(wanted).toHaveLength(400);

    disk.makeRoom();
    store.seen();
    expect(store.unsaved).toBe(0);
    // killed: nobody closed the first one
    using again = DecisionStore.open({ path });
    expect(ids(again)).toEqual(wanted);
    expect([...again.liftedAmong([lifted.id, removed.id])]).toEqual([lifted.id]);
    store[Symbol.dispose]();
  });
});
