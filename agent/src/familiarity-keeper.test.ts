/** For how long whom was known, on a real disk: what is read is what was written, and nothing else is. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { FamiliarityKeeper } from './familiarity-keeper.ts';
import { WindowsBench } from './testing/windows-bench.ts';
import type { DeviceFamiliarity } from './window/device-familiarity.ts';

let path = '';
let warnings: string[] = [];
const log = { warn: (text: string) => void warnings.push(text) };

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-familiarity-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  path = join(folder, 'familiarity.json');
  warnings = [];
});

type Options = Partial<Pick<Parameters<typeof FamiliarityKeeper.start>[0], 'everyMs' | 'maxBytes' | 'path'>>;

/** A run with these devices, each called by `peers` hosts, that ends as it should. */
async function run(devices: number, peers: number, options: Options = {}): Promise<readonly DeviceFamiliarity[]> {
  const bench = new WindowsBench({ source: 'live' });
  await using keeper = await FamiliarityKeeper.start({ path, windows: bench.windows, log, ...options });
  for (let host = 0; host < devices; host++)
    for (let peer = 0; peer < peers; peer++)
      bench.add(peer * 1000, {
        src: `198.51.${peer >> 8}.${peer & 255}`,
        dst: `192.168.${host >> 8}.${host & 255}`,
        flowNumber: host * peers + peer,
      });
  await keeper.save();
  return [...bench.windows.familiarity()];
}

/** What a run that begins now knows. */
async function readBack(options: Options = {}): Promise<readonly DeviceFamiliarity[]> {
  const { windows } = new WindowsBench({ source: 'live' });
  await using _ = await FamiliarityKeeper.start({ path, windows, log, ...options });
  return [...windows.familiarity()];
}

test('the next run knows what this one did, of every device and no more than 64 peers each', async () => {
  const known = await run(150, 70);
  expect(known).toHaveLength(150);
  expect(known[0]).toMatchObject({ address: '192.168.0.149', mac: null, deviceMs: 69_000 });
  expect(known[0]?.peersMs).toEqual(Array.from({ length: 64 }, (_, at) => 63_000 - at * 1000));
  expect(await readBack()).toEqual(known);
  expect(await readBack(), 'and the run after that').toEqual(known);
  expect(warnings).toEqual([]);
});

test('the file is for its owner alone, and tells ages and no times', async () => {
  await run(1, 2);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.part`)).toBe(false);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    version: 1,
    devices: [
      {
        address: '192.168.0.0',
        mac: null,
        known_ms: 1000,
        peers: [expect.any(Number), expect.any(Number)],
        peers_known_ms: [1000, 0],
      },
    ],
  });
});

test('it is written as time passes, and not only at the end', async () => {
  const bench = new WindowsBench({ source: 'live' });
  await using _ = await FamiliarityKeeper.start({ path, windows: bench.windows, log, everyMs: 10 });
  bench.add(0);
  await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('192.168.1.20'), { timeout: 10_000 });
});

test('a file that may not be longer holds the devices that were heard last', async () => {
  const known = await run(200, 3, { maxBytes: 8192 });
  const { size } = statSync(path);
  expect(size).toBeGreaterThan(7900);
  expect(size).toBeLessThanOrEqual(8192);
  const held = await readBack({ maxBytes: 8192 });
  expect(held.length).toBeGreaterThan(40);
  expect(held).toEqual(known.slice(0, held.length));
  expect(warnings, 'once').toEqual([expect.stringContaining('has no place for devices that were heard long ago')]);
});

const device = { address: '192.168.1.20', mac: null, known_ms: 1, peers: [5], peers_known_ms: [1] };
const file = (devices: unknown, version: unknown = 1): string => JSON.stringify({ version, devices });

test.each([
  ['is cut off', file([device]).slice(0, -5), /JSON/],
  ['is empty', '', /JSON/],
  ['is of another program', '{"mappings":[]}', /version/],
  ['is of a later version', file([device], 2), /version/],
  ['names no host', file([{ ...device, address: 'camera' }]), /devices\.0\.address/],
  ['has a negative age', file([device, { ...device, known_ms: -1 }]), /devices\.1\.known_ms/],
  ['has an age that is no number', file([{ ...device, peers_known_ms: [null] }]), /peers_known_ms/],
  ['has an age beyond counting', file([{ ...device, known_ms: 1e300 }]), /known_ms/],
  ['has fewer ages than peers', file([{ ...device, peers: [5, 6] }]), /as many ages as peers/],
  ['has peers without end', file([{ ...device, peers: Array.from({ length: 65 }, () => 1) }]), /devices\.0\.peers/],
  ['is too long', file([device]).padEnd(9 * 1_048_576), /9437184 bytes/],
])(
  'a file that %s: nobody is known, one warning says which file and why, and the next is whole',
  async (_, text, why) => {
    writeFileSync(path, text);
    expect(await run(1, 1)).toHaveLength(1);
    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(warnings[0]).toContain(`${path}: devices and peers that were known are new again: `);
    expect(await readBack()).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  },
);

test('what is no file is neither waited for nor followed into', async () => {
  mkdirSync(path);
  await run(1, 1);
  expect(warnings).toEqual([expect.stringContaining('it is no file'), expect.stringContaining('cannot be written')]);
  rmSync(path, { recursive: true });
  symlinkSync('/dev/zero', path);
  warnings = [];
  expect(await readBack()).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('it is no file')]);
});

test('a disk that takes nothing is told of once, and the agent runs', async () => {
  const bench = new WindowsBench({ source: 'live' });
  const keeper = await FamiliarityKeeper.start({ path: '/nowhere/at/all.json', windows: bench.windows, log });
  bench.add(0);
  for (let time = 0; time < 3; time++) await keeper.save();
  await keeper[Symbol.asyncDispose]();
  expect(warnings).toEqual([expect.stringContaining('/nowhere/at/all.json: who has been known')]);
});
