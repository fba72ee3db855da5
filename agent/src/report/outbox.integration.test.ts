/** The outbox on a disk that is really full. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newId } from '@picket/shared/contract/identifiers';
import type { BootId } from '@picket/shared/contract/identifiers';
import { requireSystem } from '../../../.ci/require-system.ts';
import { Outbox } from './outbox.ts';

vi.setConfig({ testTimeout: 120_000 });

const bootId = newId() as BootId;
const mebibyte = 1024 * 1024;

describe.skipIf(!requireSystem('root', 'mount'))('on a full disk', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'picket-full-'));
    const mounted = spawnSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
    if (mounted.status !== 0) throw new Error(`cannot mount a small disk: ${String(mounted.stderr)}`);
  });
  afterEach(() => {
    spawnSync('/usr/bin/umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('events that do not fit are counted and named as lost; with room again the outbox goes on', () => {
    const complaints: string[] = [];
    using outbox = Outbox.open({
      path: join(folder, 'outbox.db'),
      maxBytes: 64 * mebibyte,
      maxAgeMs: 1e9,
      log: {
        info: () => {},
        warn: () => {},
        error: (_details: unknown, text?: string) => void complaints.push(text ?? ''),
      },
    });
    outbox.add(devices(100));
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(bavail * bsize - 64 * 1024));
    for (let round = 0; round < 30; round += 1) outbox.add(devices(100));
    const { dropped } = outbox.stats();
    expect(dropped).toBeGreaterThan(0);
    expect(complaints).toHaveLength(1); // said once a minute, not three thousand times
    expect(complaints[0]).toMatch(/free space/);

    rmSync(join(folder, 'ballast'));
    outbox.add(devices(10));
    let [events, lost, next] = [0, 0, 1];
    for (
      let batch = outbox.nextBatch('devices', bootId);
      batch !== undefined;
      batch = outbox.nextBatch('devices', bootId)
    ) {
      for (const { seq, event } of batch.events) {
        if (event.kind === 'gap') lost += event.body.dropped;
        else events += 1;
        expect(event.kind === 'gap' ? event.body.from_seq : seq).toBe(next);
        next = seq + 1;
      }
      outbox.acknowledge({ epoch: batch.epoch, channel: 'devices', upto: next - 1 });
    }
    expect(events + lost).toBe(100 + 30 * 100 + 10);
    expect(lost).toBe(dropped);
  });
});

function devices(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'device' as const,
    body: {
      device: { address: `10.0.0.${index + 1}`, mac: null },
      at: new Date().toISOString(),
      source: 'simulated' as const,
    },
  }));
}
