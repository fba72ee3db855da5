/** The capture and the flows that training reads too: whoever changes a value here changes what models mean. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import { csvHeader, CsvLines } from './csv-lines.ts';
import { PcapFileSource } from '../capture/pcap-file-source.ts';
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
