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
import { slidingWindows } from './flow-rows.ts';
import type { Dataset, FlowRows, Part, WindowSequence } from './flow-rows.ts';
import { splitGroups, splitTimes } from './split-dataset.ts';

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
};

/** Within this time before a boundary, flows belong to no part. */
const gapUs = 10_000_000;
const lanPrefix = '192.168.10.';

/** Read `cicids2017-improved/` and `iot-sentinel-benign-flows/` under `folder` into the dataset; either may be missing. */
export function readFlowTables(folder: string, seed: number, into: Dataset): void {
  const present = new Set(readdirSync(folder));
  if (!present.has(cicFolder) && !present.has(iotFolder)) {
    throw new Error(`${folder} holds neither ${cicFolder}/ nor ${iotFolder}/: point --tables to the folder above them`);
  }
  if (present.has(cicFolder)) readCicTables(join(folder, cicFolder), seed, into);
  if (present.has(iotFolder)) readIotTables(join(folder, iotFolder), seed, into);
}

const cicFolder = 'cicids2017-improved';
const iotFolder = 'iot-sentinel-benign-flows';

interface TableFlow {
  readonly row: number;
  readonly startUs: number;
  readonly device: string;
  readonly label: string;
}

/** Benign traffic is held out by host, each attack by time: every attack has few hosts, most of them only one. */
function readCicTables(folder: string, seed: number, { rows, sequences }: Dataset): void {
  for (const file of tableFiles(folder)) {
    const flows: TableFlow[] = [];
    forEachRecord(join(folder, file), rows, (values, cell, add) => {
      const label = cell('Label');
      const device = [cell('Src IP'), cell('Dst IP')].find((address) => address.startsWith(lanPrefix));
      if (device === undefined) return;
      // The side that is attacked is the device; it is the responder wherever both are inside.
      const attacked = label !== 'BENIGN' && cell('Dst IP').startsWith(lanPrefix) ? cell('Dst IP') : device;
      flows.push({
        row: add(values, classOfLabel[label] ?? 'other_attack', label),
        startUs: timestampUs(cell('Timestamp')),
        device: attacked,
        label,
      });
    });
    sequences.push(...cicSequences(flows, seed));
  }
}

function cicSequences(flows: readonly TableFlow[], seed: number): WindowSequence[] {
  const hostPart = splitGroups(benignHosts, seed);
  const byLabel = Map.groupBy(flows, ({ label }) => label);
  const parts = new Map<TableFlow, Part | undefined>();
  for (const [label, members] of byLabel) {
    if (label === 'BENIGN') {
      for (const flow of members) parts.set(flow, hostPart.get(flow.device) ?? 'train');
    } else {
      const times = splitTimes(
        members.map(({ startUs }) => startUs),
        gapUs,
      );
      for (const [index, flow] of members.entries()) parts.set(flow, times[index]);
    }
  }
  const streams = Map.groupBy(flows, (flow) => `${parts.get(flow)} ${flow.device}`);
  return [...streams.values()].flatMap((members) => {
    const part = parts.get(members[0]!);
    if (part === undefined) return [];
    const ordered = members.toSorted((a, b) => a.startUs - b.startUs).map(({ row }) => row);
    const { device } = members[0]!;
    return [{ source: 'cicids2017', group: device, device, part, windows: slidingWindows(ordered) }];
  });
}

/** The client hosts and servers of that network. */
const benignHosts = [3, 5, 8, 9, 12, 14, 15, 16, 17, 19, 25, 50, 51].map((host) => `${lanPrefix}${host}`);

/** Held out by device type; windows never cross captures. */
function readIotTables(folder: string, seed: number, { rows, sequences }: Dataset): void {
  const captures = new Map<string, { device: string; rows: number[] }>();
  for (const file of tableFiles(folder)) {
    forEachRecord(join(folder, file), rows, (values, cell, add) => {
      const device = cell('Device');
      const key = `${device} ${cell('Capture')}`;
      const capture = captures.get(key) ?? { device, rows: [] };
      captures.set(key, capture);
      capture.rows.push(add(values, 'benign', ''));
    });
  }
  const parts = splitGroups(
    [...captures.values()].map(({ device }) => device),
    seed,
  );
  for (const capture of captures.values()) {
    const part = parts.get(capture.device)!;
    const { device } = capture;
    sequences.push({ source: 'iot-sentinel', group: device, device, part, windows: slidingWindows(capture.rows) });
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

/** `2017-07-07 12:02:55.371187`, UTC, in microseconds since 1970. */
function timestampUs(text: string): number {
  const [seconds = '', fraction = ''] = text.split('.');
  return Date.parse(`${seconds.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
