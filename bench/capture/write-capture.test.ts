import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PcapFileSource } from '../../agent/src/capture/pcap-file-source.ts';
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import { writeCapture } from './write-capture.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-capture-'));
});
afterAll(async () => rm(folder, { recursive: true }));

test('the same bytes every time, and every packet can be read', async () => {
  const first = await writeCapture(join(folder, 'first.pcap'), 20_000);
  const second = await writeCapture(join(folder, 'second.pcap'), 20_000);
  expect(second).toEqual(first);

  const times: number[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'reference', capacity: 16_384 }, () => undefined);
  await using source = await PcapFileSource.open(join(folder, 'first.pcap'));
  for await (const chunk of source.chunks(new AbortController().signal)) {
    times.push(...chunk.timesUs.subarray(0, chunk.count));
    meter.add(chunk);
  }
  meter.finish();
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(meter.counters).toMatchObject({ packets: 20_000, undecodable: 0, evicted: 0, timeSteps: 0 });
  expect(meter.counters.flows).toBeGreaterThan(800);
  expect(first.bytes / first.packets).toBeGreaterThan(300);
});
