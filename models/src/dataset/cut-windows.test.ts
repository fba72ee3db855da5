import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { directionNumber } from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { cutWindows } from './cut-windows.ts';
import type { FlowPack } from './flow-pack.ts';
import { encodeFlowPack, nothing } from './flow-pack.ts';
import { emptyDataset } from './flow-rows.ts';
import { labelWindow } from './label-window.ts';
import type { Dataset, WindowSequence } from './flow-rows.ts';
import { readFlowPacks } from './read-flow-packs.ts';

interface Row {
  readonly flow: number;
  readonly atMs: number;
  readonly device?: number;
  readonly other?: number;
  readonly packets?: number;
  readonly episode?: number;
  readonly peer?: number;
}

/** The port is the row's number, so that windows can be read. */
function packOf(rows: readonly Row[], part: 'train' | 'test'): FlowPack {
  const features = new Float32Array(rows.length * featureCount);
  for (const [index, { packets = 2 }] of rows.entries()) features.set([index, 0, packets], index * featureCount);
  const column = (value: (row: Row) => number): number[] => rows.map(value);
  return {
    header: {
      format: 2,
      name: 'made',
      site: 'site-1',
      seed: 1,
      part,
      kind: 'attack',
      view: 'lan',
      profile: 'fixed',
      lan_prefixes: ['10.0.0.0/8'],
      from_us: 0,
      to_us: 60_000_000,
      capture_sha256: '0'.repeat(64),
      rows: rows.length,
      dropped_rows: 0,
      addresses: ['10.0.0.1', '10.0.0.2', '1.2.3.4', '5.6.7.8'],
      episodes: [
        { class: 'port_scan', tool: 'nmap', step: 'nmap -sS', from: '1.2.3.4', to: '10.0.0.1', from_us: 5, to_us: 9 },
      ],
    },
    features,
    startUs: Float64Array.from(column(({ atMs }) => atMs * 1000)),
    lastUs: Float64Array.from(column(({ atMs }) => atMs * 1000)),
    flowNumber: Uint32Array.from(column(({ flow }) => flow)),
    reportNumber: new Uint16Array(rows.length),
    device: Uint16Array.from(column(({ device = 0 }) => device)),
    otherDevice: Uint16Array.from(column(({ other = nothing }) => other)),
    peer: Uint16Array.from(column(({ peer = 2 }) => peer)),
    port: new Uint16Array(rows.length),
    protocol: new Uint8Array(rows.length).fill(6),
    episode: Uint16Array.from(column(({ episode = nothing }) => episode)),
    direction: new Uint8Array(rows.length).fill(1),
  };
}

function cut(rows: readonly Row[], part: 'train' | 'test' = 'test'): Dataset {
  const dataset = emptyDataset();
  cutWindows(packOf(rows, part), 'made', dataset);
  return dataset;
}

/** Row numbers of the present flows of each window of a device. */
function windowsOf(dataset: Dataset, device = '10.0.0.1'): number[][] {
  const { windows } = dataset.sequences.find((sequence) => sequence.device === device)!;
  return Array.from({ length: windows.length / windowLength }, (_, window) =>
    [...windows.subarray(window * windowLength, (window + 1) * windowLength)].filter((row) => row >= 0),
  );
}

const ended = (flow: number): Row => ({ flow, atMs: flow * 300 });

test('a window holds the newest ten flows, and a report takes the slot of its own flow', () => {
  const dataset = cut([...Array.from({ length: 11 }, (_, flow) => ended(flow)), { flow: 5, atMs: 3300 }]);
  const windows = windowsOf(dataset);
  expect(windows[0]).toEqual([0]);
  expect(windows[10]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(windows[11]).toEqual([1, 2, 3, 4, 11, 6, 7, 8, 9, 10]);
});

test('a device is scored at most every quarter second, and then with all that came', () => {
  const windows = windowsOf(cut([0, 100, 200, 240, 260, 700].map((atMs, flow) => ({ flow, atMs }))));
  expect(windows).toEqual([[0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]]);
  // What waits is scored as soon as anybody's time has come, and at the end of the capture.
  const shared = cut([
    { flow: 0, atMs: 0 },
    { flow: 1, atMs: 100 },
    { flow: 2, atMs: 900, device: 1 },
    { flow: 3, atMs: 950, device: 1 },
  ]);
  expect(windowsOf(shared)).toEqual([[0], [0, 1]]);
  expect(windowsOf(shared, '10.0.0.2')).toEqual([[2], [2, 3]]);
  expect(
    windowsOf(
      cut(
        [
          { flow: 0, atMs: 0 },
          { flow: 1, atMs: 1 },
          { flow: 2, atMs: 2 },
        ],
        'train',
      ),
    ),
  ).toHaveLength(3);
});

test('flows that no window shows stand beside the next one', () => {
  const dataset = cut(Array.from({ length: 80 }, (_, flow) => ({ flow, atMs: flow < 79 ? 1 : 400 })));
  const [{ passed = [] }] = dataset.sequences as [WindowSequence];
  const shown = new Set(windowsOf(dataset).flat());
  expect(passed).toHaveLength(windowsOf(dataset).length);
  expect([...shown, ...passed.flat()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, row) => row));
  expect(Math.max(...passed.map((rows) => rows.length))).toBeGreaterThan(20);
});

test('both inside ends get a flow between them', () => {
  const dataset = cut([{ flow: 0, atMs: 0, device: 0, other: 1 }]);
  expect(dataset.sequences.map(({ device }) => device).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('five new flows are evidence, and so is one living flow that grew like a flood', () => {
  const quiet = cut(Array.from({ length: 10 }, (_, flow) => ended(flow)));
  expect([...quiet.sequences[0]!.counts]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  const flood = cut([
    { flow: 0, atMs: 1000, packets: 10 },
    { flow: 0, atMs: 2000, packets: 300 },
    { flow: 0, atMs: 3000, packets: 310 },
    { flow: 0, atMs: 4000, packets: 320 },
  ]);
  expect([...flood.sequences[0]!.counts]).toEqual([0, 1, 0, 0]);
});

test('what an attack left behind is neither attack nor honest life', () => {
  const honest = (flow: number): Row => ({ ...ended(flow), peer: 3 });
  const { rows, sequences } = cut([honest(0), { ...ended(1), episode: 0 }, { ...ended(2), episode: 0 }, ended(3)]);
  expect([...rows.residues.subarray(0, 4)]).toEqual([0, 0, 0, 1]);
  const { windows } = sequences[0]!;
  const labels = [0, 1, 2, 3].map((window) => labelWindow(rows, windows.subarray(10 * window, 10 * window + 10)));
  expect(labels).toEqual([0, undefined, trafficClasses.indexOf('port_scan'), trafficClasses.indexOf('port_scan')]);
  expect(labelWindow(rows, Int32Array.of(0, 3))).toBeUndefined();
});

test('when, with whom and which way each flow went comes from the pack', () => {
  const { rows } = cut([
    ended(0),
    { ...ended(1), peer: 3 },
    { flow: 2, atMs: 700, device: 0, other: 1, peer: 1 },
    { ...ended(3), device: 1, peer: 0 },
    ended(4),
  ]);
  expect(rows.startUs[1]).toBe(300_000);
  // The third flow has two rows, one for each of its devices.
  const [a, b, c, again, d, e] = rows.pairs;
  expect(again).toBe(c);
  expect([...rows.recentOfPeer.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
  expect(rows.recentOfDevice[2]).toBeCloseTo(1 + Math.exp(-0.4 / 30) + Math.exp(-0.7 / 30), 5);
  expect(rows.recentOfDevice[3]).toBe(1);
  // Each device knows a peer since their first flow.
  expect(rows.peerSinceUs[5]).toBe(rows.startUs[0]);
  expect(rows.peerSinceUs[2]).toBe(rows.startUs[2]);
  expect(rows.deviceSinceUs[2]).toBe(rows.startUs[0]);
  expect(rows.deviceSinceUs[3]).toBe(rows.startUs[3]);
  expect(new Set([a, b, c]).size).toBe(3);
  expect([d, e]).toEqual([c, a]);
  expect(rows.directions[0]).toBe(directionNumber('inbound'));
});

test('truth, times and the gateway are carried over', () => {
  const dataset = cut([ended(0), { ...ended(1), episode: 0 }]);
  expect(dataset.rows.classes[0]).toBe(0);
  expect(dataset.episodes[dataset.rows.episodes[1]!]).toMatchObject({ class: 'port_scan', tool: 'nmap', part: 'test' });
  expect([...dataset.sequences[0]!.atUs]).toEqual([0, 300_000]);
  expect(dataset.listenings).toEqual([
    {
      source: 'made',
      group: 'site-1',
      capture: 'made',
      part: 'test',
      view: 'lan',
      seconds: 60,
      flows: 2,
      isAttacked: true,
    },
  ]);
});

test('packs in folders are read in the order of their names, and the range is called so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-packs-'));
  try {
    mkdirSync(join(folder, 'range', 'flows', 'test'), { recursive: true });
    expect(() => readFlowPacks(join(folder, 'range', 'flows'), emptyDataset())).toThrow(/no .flows file/);
    for (const name of ['b', 'a']) {
      const pack = packOf([ended(0), ended(1)], 'test');
      const file = join(folder, 'range', 'flows', 'test', `${name}.flows`);
      writeFileSync(file, encodeFlowPack({ ...pack, header: { ...pack.header, name } }));
    }
    const dataset = emptyDataset();
    readFlowPacks(join(folder, 'range', 'flows'), dataset);
    expect(dataset.sequences.map(({ source, capture }) => [source, capture])).toEqual([
      ['range', 'a'],
      ['range', 'b'],
    ]);
    expect(dataset.rows.count).toBe(4);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
