import { expect, test } from 'vitest';
import { KnownAddresses } from './known-addresses.ts';

const hourMs = 3_600_000;

test('a name that is answered with one of its addresses at a time stands for all of them', () => {
  const known = new KnownAddresses();
  expect(known.after('controller.example', ['192.0.2.2'], 0)).toEqual(['192.0.2.2']);
  expect(known.after('controller.example', ['192.0.2.1'], 30_000)).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(known.after('another.example', ['198.51.100.1'], 30_000)).toEqual(['198.51.100.1']);
});

test('an address that the name left an hour ago is forgotten; while nobody answers nothing is', () => {
  const known = new KnownAddresses();
  known.after('controller.example', ['192.0.2.1'], 0);
  expect(known.after('controller.example', ['192.0.2.2'], hourMs)).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(known.after('controller.example', [], 9 * hourMs)).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(known.after('controller.example', ['192.0.2.2'], 9 * hourMs)).toEqual(['192.0.2.2']);
  expect(known.after('nobody.example', [], 0)).toEqual([]);
});

test('a name that is answered with ever new addresses stands for the latest', () => {
  const known = new KnownAddresses();
  for (let host = 1; host <= 99; host++) known.after('pool.example', [`192.0.2.${host}`], host);
  const last = known.after('pool.example', ['192.0.2.100'], 100);
  expect(last).toHaveLength(8);
  expect(last).toEqual(expect.arrayContaining(['192.0.2.93', '192.0.2.100']));
});
