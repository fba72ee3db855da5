/**
 * Published flow tables: CIC-IDS2017 as corrected in 2022, and flows of the IoT Sentinel captures. Columns are found by
 * either of the two names that each feature has had. Tables hold ended flows only; what a gateway sees of a flow that
 * still lives comes from captures.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { features } from '@picket/shared/features/feature-schema';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { CaptureSplit } from './capture-split.ts';
import { slidingWindows } from './flow-rows.ts';
import type { Dataset, FlowRows, WindowSequence } from './flow-rows.ts';
import { splitBlocks } from './split-dataset.ts';

/** Labels of the corrected CIC-IDS2017; anything else that is not benign is another attack. */
const classOfLabel: Readonly<Record<string, TrafficClass>> = {
  BENIGN: 'benign',
  DDoS: 'ddos_flood',
  'DoS Hulk': 'ddos_flood',
  'DoS GoldenEye': 'ddos_flood',
  'DoS Slowloris': 'slow_rate',
  'DoS Slowhttptest': 'slow_rate',
  Portscan: 'port_scan',
  'Infiltration - Portscan': 'port_scan',
  'FTP-Patator': 'brute_force_ftp',
  'SSH-Patator': 'brute_force_ssh',
  Botnet: 'botnet_beacon',
  'Web Attack - XSS': 'web_xss',
  'Web Attack - SQL Injection': 'web_sqli',
  // CSE-CIC-IDS2018
  'DDoS-HOIC': 'ddos_flood',
  'DDoS-LOIC-HTTP': 'ddos_flood',
  'Botnet Ares': 'botnet_beacon',
  'SSH-BruteForce': 'brute_force_ssh',
  'Infiltration - NMAP Portscan': 'port_scan',
};

/**
 * Attempts that did nothing, such as a connection to a server that was down already, as the corrected tables tell them
 * apart (Liu et al. 2022). Neither attack nor honest: left out.
 */
const attempted = / - Attempted$/;

/** Held out are whole blocks of this length; flows that begin this soon after a block's start belong to no part. */
const blockUs = 120_000_000;
const gapUs = 10_000_000;
/** So many new flows make a window count anew. */
const freshFlows = 5;
const lanPrefix = '192.168.10.';

interface TableSplit {
  /** Of blocks of time. */
  readonly seed: number;
  /** Of device types. */
  readonly split: CaptureSplit;
}

const readers: Readonly<Record<string, (folder: string, split: TableSplit, into: Dataset) => void>> = {
  'cicids2017-improved': readCicTables,
  'iot-sentinel-benign-flows': readIotTables,
  'cse-cic-ids2018-improved': readOtherNetwork,
};

/** Read the tables whose folders stand under `folder` into the dataset; one at least must. */
export function readFlowTables(folder: string, split: TableSplit, into: Dataset): void {
  const present = Object.entries(readers).filter(([name]) => readdirSync(folder).includes(name));
  if (present.length === 0) {
    throw new Error(
      `${folder} holds none of ${Object.keys(readers).join('/, ')}/: point --tables to the folder above them`,
    );
  }
  for (const [name, read] of present) read(join(folder, name), split, into);
}

interface TableFlow {
  readonly row: number;
  readonly startUs: number;
  readonly device: string;
}

/** Held out by blocks of minutes, benign and attack alike: every attack has one day, and few hosts. */
function readCicTables(folder: string, { seed }: TableSplit, { rows, sequences }: Dataset): void {
  const blockOf = splitBlocks(blockUs, gapUs, seed);
  for (const file of tableFiles(folder)) {
    const flows: TableFlow[] = [];
    forEachRecord(join(folder, file), rows, (values, cell, add) => {
      const label = cell('Label');
      if (attempted.test(label)) return;
      const device = [cell('Src IP'), cell('Dst IP')].find((address) => address.startsWith(lanPrefix));
      if (device === undefined) return;
      // The side that is attacked is the device; it is the responder wherever both are inside.
      const attacked = label !== 'BENIGN' && cell('Dst IP').startsWith(lanPrefix) ? cell('Dst IP') : device;
      const startUs = knownTimeUs(file, cell('Timestamp'));
      if (blockOf(startUs).part === undefined) return;
      flows.push({ row: add(values, classOfLabel[label] ?? 'other_attack', label), startUs, device: attacked });
    });
    const streams = Map.groupBy(flows, ({ startUs, device }) => `${blockOf(startUs).number} ${device}`);
    for (const [key, members] of streams) {
      const { device, startUs } = members[0]!;
      const part = blockOf(startUs).part!;
      const capture = `${file} block ${key.split(' ')[0]}`;
      sequences.push(tableSequence({ source: 'cicids2017', group: device, capture, device, part }, members));
    }
  }
}

/** A sample over ten days of another network, to measure on only: windows are flows of one label and day, in order. */
function readOtherNetwork(folder: string, _split: TableSplit, { rows, sequences }: Dataset): void {
  for (const file of tableFiles(folder)) {
    const flows: (TableFlow & { readonly label: string })[] = [];
    forEachRecord(join(folder, file), rows, (values, cell, add) => {
      const label = cell('Label');
      if (attempted.test(label)) return;
      const startUs = knownTimeUs(file, cell('Timestamp'));
      const row = add(values, classOfLabel[label] ?? (label === 'BENIGN' ? 'benign' : 'other_attack'), label);
      flows.push({ row, startUs, device: label, label });
    });
    const streams = Map.groupBy(flows, ({ startUs, label }) => `${Math.floor(startUs / 86_400e6)} ${label}`);
    for (const [capture, members] of streams) {
      const { label } = members[0]!;
      const key = { source: 'cse-cic-ids2018', group: label, capture, device: label, part: 'test' as const };
      sequences.push(tableSequence(key, members));
    }
  }
}

function tableSequence(
  key: Pick<WindowSequence, 'source' | 'group' | 'capture' | 'device' | 'part'>,
  flows: readonly TableFlow[],
): WindowSequence {
  const ordered = flows.toSorted((a, b) => a.startUs - b.startUs);
  return {
    ...key,
    windows: slidingWindows(ordered.map(({ row }) => row)),
    atUs: Float64Array.from(ordered, ({ startUs }) => startUs),
    counts: Uint8Array.from(ordered, (_, index) => ((index + 1) % freshFlows === 0 ? 1 : 0)),
  };
}

/** Held out by device type; windows never cross captures. */
function readIotTables(folder: string, { split }: TableSplit, { rows, sequences }: Dataset): void {
  const captures = new Map<string, { device: string; flows: TableFlow[] }>();
  for (const file of tableFiles(folder)) {
    forEachRecord(join(folder, file), rows, (values, cell, add) => {
      const device = cell('Device');
      const key = `${device} ${cell('Capture')}`;
      const capture = captures.get(key) ?? { device, flows: [] };
      captures.set(key, capture);
      const startUs = timestampUs(cell('Timestamp'));
      capture.flows.push({ row: add(values, 'benign', ''), startUs, device });
    });
  }
  for (const [capture, { device, flows }] of captures) {
    const source = 'iot-sentinel';
    const key = { source, group: device, capture, device, part: split.partOf(source, device) };
    sequences.push(tableSequence(key, flows));
  }
}

function forEachRecord(
  path: string,
  rows: FlowRows,
  visit: (values: Float32Array, cell: (name: string) => string, add: FlowRows['add']) => void,
): void {
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split(/\r?\n/);
  const header = (lines[0] ?? '').split(',').map((name) => name.trim());
  const columnOf = new Map(header.map((name, index) => [name, index]));
  const columns = features.map(({ name, newer_name }) => {
    const column = columnOf.get(newer_name) ?? columnOf.get(name);
    if (column === undefined) throw new Error(`${path}: no column for feature ${name} (also known as ${newer_name})`);
    return column;
  });
  const values = new Float32Array(columns.length);
  for (const line of lines.slice(1)) {
    if (line === '') continue;
    const cells = line.split(',');
    for (const [index, column] of columns.entries()) values[index] = Number(cells[column]);
    const cell = (name: string): string => {
      const column = columnOf.get(name);
      if (column === undefined) throw new Error(`${path}: no column ${name}`);
      return cells[column] ?? '';
    };
    visit(values, cell, (...flow) => rows.add(...flow));
  }
}

function tableFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.csv(\.gz)?$/.test(name))
    .sort();
}

/** Where parts are held out by time, a time that cannot be read would put everything into one of them. */
function knownTimeUs(file: string, text: string): number {
  const timeUs = timestampUs(text);
  if (Number.isNaN(timeUs)) throw new Error(`${file}: "${text}" is no time such as 2017-07-07 12:02:55.371187`);
  return timeUs;
}

/** `2017-07-07 12:02:55.371187`, UTC, in microseconds since 1970. */
function timestampUs(text: string): number {
  const [seconds = '', fraction = ''] = text.split('.');
  return Date.parse(`${seconds.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
