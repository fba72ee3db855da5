/** The capture and the flows that training reads too: whoever changes a value here changes what models mean. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { featureCount } from '@picket/shared/features/feature-schema';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import { csvHeader, CsvLines } from './csv-lines.ts';
import { PcapFileSource } from '../capture/pcap-file-source.ts';
import { createFlowBatch } from '../features/flow-batch.ts';
import { pcapBytes } from '../testing/capture-builder.ts';
import { cornerCapture } from '../testing/corner-capture.ts';
import { FlowMeter } from '../features/flow-meter.ts';

const folder = join(import.meta.dirname, '../../../shared/fixtures/flows');

test('the capture is the one the builder makes', async () => {
  expect((await readFile(join(folder, 'corners.pcap'))).equals(pcapBytes(cornerCapture()))).toBe(true);
});

test.each(FeatureProfile.options.flatMap((profile) => [[profile, 'reference'] as const, [profile, 'live'] as const]))(
  '%s, %s endings: the flows are as recorded',
  async (profile, endings) => {
    let csv = csvHeader();
    const lines = new CsvLines();
    const meter = FlowMeter.create({ profile, endings }, (batch) => (csv += lines.of(batch).toString()));
    await using source = await PcapFileSource.open(join(folder, 'corners.pcap'));
    for await (const chunk of source.chunks(new AbortController().signal)) meter.add(chunk);
    meter.finish();
    await expect(csv).toMatchFileSnapshot(join(folder, `corners.${profile}.${endings}.csv`));
  },
);

test('every number is written as the shortest text that is read as this number again', () => {
  const numbers = [
    0,
    -0,
    1,
    9,
    10,
    65_535,
    1e9 - 1,
    1e9,
    1e9 + 1,
    4_294_967_296,
    123_456_789_012,
    1e15 - 1,
    1e15,
    2 ** 53,
    -1,
    -1e9,
    0.1,
    -0.5,
    1 / 3,
    1e21,
    1.5e300,
    5e-324,
    -1e-300 / 3,
    Infinity,
    -Infinity,
    NaN,
    ...Array.from({ length: 16 }, (_, digits) => 10 ** digits - 1),
  ];
  const rows = Math.ceil(numbers.length / featureCount);
  const batch = { ...createFlowBatch(rows), count: rows };
  batch.family.fill(6);
  batch.features.set(numbers);
  const written = new CsvLines(true).of(batch).toString().split('\n').slice(0, -1);
  expect(written.flatMap((line) => line.split(',').slice(5, 5 + featureCount))).toEqual(
    [...batch.features].map(String),
  );
});
