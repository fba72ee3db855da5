import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pcapBytes } from '../testing/capture-builder.ts';
import { type TimedFrame, udpFrame } from '../testing/packet-builder.ts';
import { PcapFileSource, type PcapFileOptions } from './pcap-file-source.ts';

const firstUs = 1_700_000_000_000_000;
const frame = udpFrame({ src: '10.0.0.2', dst: '10.0.0.9' });
const frames: TimedFrame[] = [0, 10_000, 200_000, 400_000].map((later) => ({ timeUs: firstUs + later, frame }));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-'));
  await writeFile(join(folder, 'four.pcap'), pcapBytes(frames));
  await writeFile(join(folder, 'cut.pcap'), pcapBytes(frames).subarray(0, -1));
});
afterAll(() => rm(folder, { recursive: true }));

async function timesOf(name: string, options: PcapFileOptions = {}): Promise<number[][]> {
  await using source = await PcapFileSource.open(join(folder, name), options);
  const times: number[][] = [];
  for await (const chunk of source.chunks(new AbortController().signal)) {
    times.push([...chunk.timesUs.subarray(0, chunk.count)]);
  }
  return times;
}

test('at full speed a small file is one chunk with the recorded times', async () => {
  expect(await timesOf('four.pcap')).toEqual([frames.map(({ timeUs }) => timeUs)]);
});

test('a paced file comes when it is due, in groups, with the recorded times', async () => {
  const startedMs = performance.now();
  const times = await timesOf('four.pcap', { pace: 2 });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(190);
  expect(times.length).toBeGreaterThan(1);
  expect(times.flat()).toEqual(frames.map(({ timeUs }) => timeUs));
});

test('rebasing shifts every time by the same amount', async () => {
  const [times] = await timesOf('four.pcap', { rebaseToUs: 5_000_000 });
  expect(times).toEqual([5_000_000, 5_010_000, 5_200_000, 5_400_000]);
});

test('a clock that jumps does not lead out of time when it is rebased', async () => {
  const jumping = [2000, 0, 4_000_000].map((seconds) => ({ timeUs: seconds * 1_000_000_000, frame }));
  await writeFile(join(folder, 'jumping.pcap'), pcapBytes(jumping));
  const [times] = await timesOf('jumping.pcap', { rebaseToUs: 1_000_000 });
  expect(times).toEqual([1_000_000, 0, 3_998_000_001_000_000]);
});

test('an aborted replay ends quietly, even while it waits', async () => {
  const stop = new AbortController();
  await using source = await PcapFileSource.open(join(folder, 'four.pcap'), { pace: 0.001 });
  let chunks = 0;
  for await (const _ of source.chunks(stop.signal)) {
    chunks++;
    stop.abort();
  }
  expect(chunks).toBe(1);
});

test('missing files, folders and cut files have their own errors', async () => {
  await expect(PcapFileSource.open(join(folder, 'none.pcap'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(PcapFileSource.open(folder)).rejects.toMatchObject({ code: 'not-a-capture' });
  await expect(timesOf('cut.pcap')).rejects.toMatchObject({ code: 'truncated' });
});
