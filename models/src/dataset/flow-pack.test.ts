import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { featureCount } from '@picket/shared/features/feature-schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classOfRow, decodeFlowPack, encodeFlowPack, readFlowPackHeader, unknownDirection } from './flow-pack.ts';
import { differenceOf } from '../../range/repack.ts';
import { emptyColumns } from './flow-columns.ts';
import { plainPack, smallPack as pack } from './testing/small-pack.ts';

const { rows } = pack.header;

test('what is packed comes back bit for bit, times to the microsecond', () => {
  const bytes = encodeFlowPack(pack);
  expect(decodeFlowPack(bytes)).toEqual(pack);
  expect(readFlowPackHeader(bytes)).toEqual(pack.header);
  expect([0, 1, 2].map((row) => classOfRow(pack, row))).toEqual(['port_scan', 'benign', 'port_scan']);
});

test('a capture without a single flow is a pack too', () => {
  const empty = { header: { ...pack.header, rows: 0 }, ...emptyColumns(0) };
  expect(decodeFlowPack(encodeFlowPack(empty))).toEqual(empty);
});

test('any bits of a float32 come back: payloads of NaN, -0, infinities, denormals', () => {
  const special = [
    0x7fc00001, 0xffc0dead, 0x7f800001, 0x80000000, 0x7f800000, 0xff800000, 1, 0x80000001, 0x7f7fffff, 0,
  ];
  const anyBits = fc.oneof(fc.constantFrom(...special), fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));
  const size = rows * featureCount;
  const anyFeatures = fc.oneof(
    fc
      .array(anyBits, { minLength: size, maxLength: size })
      .map((bits) => new Float32Array(Uint32Array.from(bits).buffer)),
    fc.array(fc.nat(4_294_967_295), { minLength: size, maxLength: size }).map((all) => Float32Array.from(all)),
  );
  const anyNumbers = fc.uint32Array({ minLength: rows, maxLength: rows });
  const anyTimes = fc.array(fc.maxSafeNat(), { minLength: rows, maxLength: rows }).map((all) => Float64Array.from(all));
  fc.assert(
    fc.property(anyFeatures, anyNumbers, anyNumbers, anyTimes, anyTimes, (features, flows, keys, startUs, lastUs) => {
      const flowNumber = flows.map((flow) => (flow % 2 === 0 ? 7 : flow));
      const address = Uint16Array.from(keys, (key) => key % pack.header.addresses.length);
      const port = Uint16Array.from(keys);
      const given = { ...pack, features, flowNumber, startUs, lastUs, device: address, peer: address, port };
      expect(differenceOf(decodeFlowPack(encodeFlowPack(given)), given)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test('packs of the repository hold the same after another round', () => {
  for (const name of ['first/beacon-home-101', 'test/test-11-attacks-1-wan']) {
    const path = fileURLToPath(new URL(`../../range/flows/${name}.flows`, import.meta.url));
    const given = decodeFlowPack(readFileSync(path), path);
    expect(differenceOf(decodeFlowPack(encodeFlowPack(given)), given)).toBeUndefined();
  }
});

test('packs of formats 1 and 2 are read; the first did not know directions', () => {
  expect(decodeFlowPack(plainPack(2))).toEqual({ ...pack, header: { ...pack.header, format: 2 } });
  const direction = new Uint8Array(rows).fill(unknownDirection);
  expect(decodeFlowPack(plainPack(1))).toEqual({ ...pack, direction, header: { ...pack.header, format: 1 } });
  expect(decodeFlowPack(encodeFlowPack(decodeFlowPack(plainPack(2))))).toEqual(pack);
});
