/** Holds the example in docs/flow-meter.md to the code: its bytes, its fields, its columns, and the files it names. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { featureNames } from '@picket/shared/features/feature-schema';
import { decodePacket } from '../packet/decode-packet.ts';
import { createPacketFields, field, outcome } from '../packet/packet-fields.ts';
import { cornerCapture } from '../testing/corner-capture.ts';
import { RecordingMeter } from '../testing/meter-frames.ts';

const docs = new URL('../../../docs/', import.meta.url);
const text = readFileSync(new URL('flow-meter.md', docs), 'utf8');
const example = text.slice(text.indexOf('## An example'), text.indexOf('## Three profiles'));
const portOf = (frame: Uint8Array, at: number): number => (frame[at]! << 8) | frame[at + 1]!;
const frames = cornerCapture()
  .filter(({ frame }) => [34, 36].some((at) => portOf(frame, at) === 61_000))
  .filter(({ frame }) => [34, 36].some((at) => portOf(frame, at) === 23))
  .slice(0, 2);

/** Cells of the rows of the table that begins with this heading. */
function rowsBelow(heading: string): string[][] {
  const lines = example.slice(example.search(new RegExp(`^\\| ${heading} `, 'm'))).split('\n');
  return lines
    .slice(
      2,
      lines.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1),
    );
}

const numbersIn = (cell: string): number[] =>
  cell
    .replaceAll(/\([^)]*\)/g, '')
    .split(',')
    .map(Number);

test('the bytes are those of the capture', () => {
  const hex = /```text\n([\s\S]*?)```/.exec(example)?.[1] ?? '';
  const bytes = hex
    .split('\n')
    .flatMap((line) => /^(?:[0-9a-f]{2} {1,2})+/.exec(`${line} `)?.[0].trim().split(/ +/) ?? []);
  expect(bytes.join('')).toBe(Buffer.from(frames[0]!.frame.subarray(0, -2)).toString('hex'));
});

test('the fields are what is decoded', () => {
  const rows = rowsBelow('field');
  expect(rows.length).toBeGreaterThan(3);
  for (const [index, { frame }] of frames.entries()) {
    const fields = createPacketFields();
    const view = new DataView(frame.buffer);
    expect(decodePacket(frame, view, 0, frame.length, frame.length, 1, fields, 0)).toBe(outcome.decoded);
    for (const [names = '', ...cells] of rows) {
      const values = names.split(', ').map((name) => fields[field[name as keyof typeof field]]);
      expect(numbersIn(cells[index]!), names).toEqual(values);
    }
  }
});

test('the columns are what the flow has', () => {
  const [flow] = new RecordingMeter({ profile: 'fixed', endings: 'reference' }).add(...frames).finish();
  const expected = new Map<number, number>();
  for (const [columns = '', , value = ''] of rowsBelow('#')) {
    const [first, last] = columns.split('–').map(Number);
    const numbers =
      last === undefined ? numbersIn(columns) : Array.from({ length: last - first! + 1 }, (_, index) => first! + index);
    const values = numbersIn(value);
    for (const [index, number] of numbers.entries()) expected.set(number, values[values.length === 1 ? 0 : index]!);
  }
  expect(expected.size).toBeGreaterThan(20);
  for (const [index, name] of featureNames.entries()) {
    expect(flow?.features[name], name).toBe(expected.get(index + 1) ?? 0);
  }
});

test('every file that is linked is there', () => {
  const paths = [...text.matchAll(/\]\((\.\.?\/[^)#]+|[a-z][\w./-]+\.md)\)/g)].map(([, path]) => path!);
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !existsSync(new URL(path, docs)))).toEqual([]);
});
