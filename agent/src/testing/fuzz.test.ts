/** Hostile packets and files through capture, packet, flow and features, for about 20 s; the long mode is `npm run bench -- fuzz`. */
import { expect, test } from 'vitest';
import { PcapStream } from '../capture/pcap-stream.ts';
import { pcapBytes } from './capture-builder.ts';
import { expectedOfPcap } from './capture-records.ts';
import { fuzz, howToRepeat } from './fuzz.ts';
import { FuzzRun } from './fuzz-run.ts';

const deadlineMs = 600_000;

test(
  'a known seed: enough of both kinds, every outcome, every error, and no promise broken',
  async () => {
    const report = await fuzz({ seed: 20_260_101, packets: 15_000, files: 600 });
    expect(howToRepeat(report)).toBe('');
    expect(report.packets).toBeGreaterThanOrEqual(15_000);
    expect(report.files).toBeGreaterThanOrEqual(600);
    for (const count of report.outcomes) expect(count).toBeGreaterThan(50);
    expect(Object.keys(report.errors).toSorted()).toEqual(['corrupt', 'not-a-capture', 'sound', 'truncated']);
  },
  deadlineMs,
);

test(
  'a seed of its own for every run: no promise broken',
  async () => {
    const seed = Number(process.env['PICKET_FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
    const report = await fuzz({ seed, packets: 1_000_000, files: 40_000, budgetMs: 8000 });
    expect(howToRepeat(report)).toBe('');
    expect(report.packets).toBeGreaterThan(0);
    expect(report.files).toBeGreaterThan(0);
  },
  deadlineMs,
);

test(
  'the same seed gives the same run, another seed another, and a case alone is the case of the run',
  () => {
    const run = (seed: number): number => new FuzzRun({ seed, packets: 300, files: 12 }).run().digest;
    const once = run(7);
    expect(run(7)).toBe(once);
    expect(run(8)).not.toBe(once);
    const only = (index: number): number =>
      new FuzzRun({ seed: 7, packets: 0, files: 0, only: { kind: 'file', index } }).run().digest;
    expect(only(3)).toBe(only(3));
    expect(only(3)).not.toBe(only(4));
  },
  deadlineMs,
);

test('a file that ends inside its header is cut short, whatever its bytes would mean as a record', () => {
  const bytes = pcapBytes([]).slice(0, 17).fill(0xff, 8);
  expect(expectedOfPcap(bytes, 262_144)).toEqual({ packets: 0, stopsAt: 0, isCorrupt: false });
  const stream = new PcapStream('cut.pcap');
  stream.room().set(bytes);
  stream.filled(bytes.length);
  expect(stream.next()).toBe(undefined);
  expect(() => stream.end()).toThrow(expect.objectContaining({ code: 'truncated', byteOffset: 0 }));
});
