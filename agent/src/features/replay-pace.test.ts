/** How fast a file is replayed, in which form it is, and to what time it is moved: its flows and reports are the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PcapFileSource, type PcapFileOptions } from '../capture/pcap-file-source.ts';
import { captureForms } from '../testing/capture-forms.ts';
import { cornerCapture } from '../testing/corner-capture.ts';
import { flowsOf, type MeteredFlow } from '../testing/meter-frames.ts';
import { FlowMeter } from './flow-meter.ts';

/** 265 s of packet time. */
const frames = cornerCapture();
const forms = captureForms(frames);
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-'));
  for (const [index, { bytes }] of forms.entries()) await writeFile(join(folder, `${index}`), bytes);
});
afterAll(() => rm(folder, { recursive: true }));

async function replayed(file: number, options: PcapFileOptions): Promise<{ flows: MeteredFlow[]; chunks: number }> {
  const flows: MeteredFlow[] = [];
  let chunks = 0;
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => flows.push(...flowsOf(batch)));
  await using source = await PcapFileSource.open(join(folder, `${file}`), options);
  for await (const chunk of source.chunks(new AbortController().signal)) {
    chunks++;
    meter.add(chunk);
    meter.flush();
  }
  meter.finish();
  return { flows, chunks };
}

test('in a quarter of a second as at full speed', async () => {
  const fast = await replayed(0, { pace: 'max' });
  const paced = await replayed(0, { pace: 1000 });
  expect(fast.flows.map(({ end }) => end)).toEqual(expect.arrayContaining(['report', 'closed', 'reset', 'idle']));
  expect(paced.chunks).toBeGreaterThan(fast.chunks + 3);
  expect(paced.flows).toEqual(fast.flows);
});

test('from every form of the file', async () => {
  const { flows } = await replayed(0, { pace: 'max' });
  for (const [file, { name }] of forms.entries()) {
    expect((await replayed(file, { pace: 'max' })).flows, name).toEqual(flows);
  }
});

test('moved to another time, they are moved with it and otherwise the same', async () => {
  const { flows } = await replayed(0, { pace: 'max' });
  // A whole number of the timer wheel's ticks, so that deadlines are noticed at the same places.
  const shiftUs = 65_536 * 1_000_000;
  const moved = await replayed(0, { pace: 'max', rebaseToUs: frames[0]!.timeUs + shiftUs });
  expect(moved.flows.map((flow) => ({ ...flow, startedAtUs: flow.startedAtUs - shiftUs }))).toEqual(
    flows.map((flow) => ({
      ...flow,
      lastPacketAtUs: flow.lastPacketAtUs + shiftUs,
      handedOverAtUs: flow.handedOverAtUs + shiftUs,
    })),
  );
});
