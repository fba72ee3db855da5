import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

test('a resolver that is slow at every question is not waited for, and heard all the same', async () => {
  const known = new KnownAddresses();
  known.after('controller.example', ['192.0.2.1'], performance.now());
  const late = Promise.withResolvers<readonly string[]>();
  expect(await known.learn('controller.example', late.promise, 0)).toEqual(['192.0.2.1']);
  late.resolve(['192.0.2.2']);
  await late.promise;
  const next = await known.learn('controller.example', new Promise(() => {}), 0);
  expect(next).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(await known.learn('controller.example', Promise.reject(new Error('SERVFAIL')), 60_000)).toEqual(next);
});

test('a run that starts before any resolver answers goes by what the one before knew', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-known-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'known-addresses.json');
  const before = new KnownAddresses();
  before.useFile(path, 0);
  before.after('controller.example', ['192.0.2.1', '2001:db8::1'], 0);
  before.after('nobody.example', [], 0);
  before.save();

  const next = new KnownAddresses();
  next.useFile(path, 0);
  expect([next.has('controller.example'), next.has('nobody.example')]).toEqual([true, false]);
  expect(next.after('controller.example', [], 9 * hourMs)).toEqual(['192.0.2.1', '2001:db8::1']);
  expect(next.after('controller.example', ['192.0.2.2'], 9 * hourMs), 'it was long ago').toEqual(['192.0.2.2']);

  for (const text of ['{"controller.example":["not an address"]}', '{', '[]', '']) {
    writeFileSync(path, text);
    const none = new KnownAddresses();
    none.useFile(path, 0);
    expect(none.has('controller.example')).toBe(false);
    none.after('controller.example', ['192.0.2.3'], 0);
    none.save();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ 'controller.example': ['192.0.2.3'] });
  }
});

test('names are bounded too, and a disk that takes nothing is no failure', () => {
  const known = new KnownAddresses();
  known.useFile('/nowhere/at/all.json', 0);
  for (let name = 0; name < 100; name++) known.after(`${name}.example`, ['192.0.2.1'], name);
  expect([known.has('0.example'), known.has('99.example')]).toEqual([false, true]);
  expect(() => known.save()).not.toThrow();
});
