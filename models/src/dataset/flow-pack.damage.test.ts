import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FlowPack, decodeFlowPack, encodeFlowPack } from './flow-pack.ts';
import { guessedColumnsSize } from './guessed-columns.ts';
import { packBytes, plainPack, smallPack } from './testing/small-pack.ts';

const { header } = smallPack;
const whole = encodeFlowPack(smallPack);
const columnsAt = 12 + whole.readUInt32LE(8);
const columns = Buffer.alloc(guessedColumnsSize(header.rows));
const packedFrom = (change: Partial<FlowPack>) => () => encodeFlowPack({ ...smallPack, ...change }, 'x.pcap');

test('a pack of a few kilobytes that asks for more rows than a pack may hold is refused, and so is writing one', () => {
  const rows = 500_001;
  const bytes = packBytes({ ...header, rows }, Buffer.alloc(guessedColumnsSize(rows)));
  expect(bytes.length).toBeLessThan(10_000);
  const bound = 'x: header.rows is 500001, and a pack holds at most 500000';
  expect(() => decodeFlowPack(bytes, 'x')).toThrow(bound);
  expect(() => encodeFlowPack({ ...smallPack, header: { ...header, rows } }, 'x')).toThrow(bound);
});

test('nothing unpacks to more than its rows take, nor a header to more than 8 MB', () => {
  const body = packBytes(header, Buffer.alloc(100_000_000));
  expect(() => decodeFlowPack(body, 'x')).toThrow(
    `x is damaged: columns cannot be unpacked: more than ${columns.length} bytes`,
  );
  const long = packBytes({ ...header, name: 'n'.repeat(8_000_000) }, columns);
  expect(() => decodeFlowPack(long, 'x')).toThrow('x is damaged: header cannot be unpacked: more than 8000000 bytes');
  const manyTools = Array.from({ length: 9 }, () => ({ ...header.episodes[0]!, tool: 't'.repeat(1_000_000) }));
  expect(packedFrom({ header: { ...header, episodes: manyTools } })).toThrow(
    /^x\.pcap: the header has 90\d{5} bytes, and may have 8000000 at most$/,
  );
});

test('a pack that is cut short is refused by name, wherever it ends', () => {
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    const part =
      length < 12 ? 'no pack of flows' : length < columnsAt ? 'damaged: the header takes' : 'damaged: columns';
    expect(() => decodeFlowPack(cut, 'x')).toThrow(`x is ${part}`);
  }
  expect(() => decodeFlowPack(packBytes(header, columns.subarray(1)), 'x')).toThrow(
    `x is damaged: columns of 3 rows take ${columns.length} bytes, ${columns.length - 1} are there`,
  );
});

test('any bytes are read as a pack or refused by name, never with an error of something else', () => {
  const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), anyBytes, fc.boolean(), (at, noise, inColumns) => {
      const bytes = Buffer.from(whole);
      bytes.set(noise.subarray(0, bytes.length - at), at);
      const body = Buffer.concat([whole.subarray(0, columnsAt), zstdCompressSync(Buffer.alloc(columns.length, noise))]);
      try {
        expect(decodeFlowPack(inColumns ? body : bytes, 'x').startUs).toHaveLength(header.rows);
      } catch (error) {
        expect(String(error)).toMatch(/^Error: x(:| is (damaged:|no pack of flows))/);
      }
    }),
    { numRuns: 500 },
  );
});

test('a header that is no JSON, or has what no pack has, is refused by the field', () => {
  const length = Buffer.alloc(4);
  const text = zstdCompressSync('{"format":3,');
  length.writeUInt32LE(text.length);
  expect(() => decodeFlowPack(Buffer.concat([whole.subarray(0, 8), length, text]), 'x')).toThrow(
    'x is damaged: the header is no JSON',
  );
  expect(() => decodeFlowPack(packBytes({ ...header, format: 4 }, columns), 'x')).toThrow(
    /^x: header\.format: .*1\|2\|3/,
  );
  expect(() => decodeFlowPack(packBytes({ ...header, rows: -1 }, columns), 'x')).toThrow(/^x: header\.rows: /);
  const episodes = [{ ...header.episodes[0], class: 'benign' }];
  expect(() => decodeFlowPack(packBytes({ ...header, episodes }, columns), 'x')).toThrow(
    /^x: header\.episodes\.0\.class: /,
  );
});

test('columns that point beside their lists are neither read nor written', () => {
  const { addresses, ...less } = header;
  const fewer = packBytes({ ...less, format: 2, addresses: addresses.slice(0, 2) }, columns);
  const plain = plainPack(2);
  const both = Buffer.concat([
    fewer.subarray(0, 12 + fewer.readUInt32LE(8)),
    plain.subarray(12 + plain.readUInt32LE(8)),
  ]);
  expect(() => decodeFlowPack(both, 'x')).toThrow('x is damaged: device of row 1 is 2, and there are 2 addresses');
  const cannot = 'x.pcap cannot be packed: ';
  expect(packedFrom({ peer: Uint16Array.of(0, 1, 65_535) })).toThrow(
    `${cannot}peer of row 2 is 65535, and there are 3 addresses`,
  );
  expect(packedFrom({ episode: Uint16Array.of(0, 1, 0) })).toThrow(
    `${cannot}episode of row 1 is 1, and there are 1 episodes`,
  );
  expect(packedFrom({ direction: Uint8Array.of(1, 2, 3) })).toThrow(
    `${cannot}direction of row 2 is 3, and there are 3 directions`,
  );
  expect(packedFrom({ port: Uint16Array.of(1) })).toThrow(`${cannot}port holds 1 values, and 3 rows have 3`);
});

test('a time that is no whole microsecond since 1970 is neither read nor written', () => {
  const half = { ...smallPack, startUs: smallPack.startUs.map((time, row) => (row === 1 ? time + 0.5 : time)) };
  const fault = /startUs of row 1 is 1795247729851519\.5, no whole microseconds since 1970/;
  expect(packedFrom(half)).toThrow(fault);
  expect(() => decodeFlowPack(plainPack(2, half), 'x')).toThrow(fault);
  expect(packedFrom({ lastUs: Float64Array.of(1, -1, 3) })).toThrow('lastUs of row 1 is -1, no whole');
});
