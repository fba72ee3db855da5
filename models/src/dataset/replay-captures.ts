/**
 * Flows of our own captures, extracted by the agent itself as it does live, reports included: what training sees is
 * what a gateway sees. Windows are kept as the agent keeps them: a report replaces its own flow's slot.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { BlockList } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { z } from 'zod';
import { CaptureLabels, labelOf } from '../../range/labels.ts';
import type { LabelledEnds } from '../../range/labels.ts';
import type { Dataset, Part } from './flow-rows.ts';

/** One line of `picket-agent flows --format jsonl`. */
const FlowLine = z.object({
  src_ip: z.string(),
  src_port: z.int(),
  dst_ip: z.string(),
  dst_port: z.int(),
  protocol: z.int(),
  started_at: z.string(),
  last_packet_at: z.string(),
  flow_number: z.int(),
  report_number: z.int(),
  /** Null where a feature is no finite number. */
  features: z.record(z.string(), z.number().nullable()),
});
type FlowLine = z.infer<typeof FlowLine>;

/** Captures of these settings are learnt from, tuned on, and measured on. */
const partOf: Readonly<Record<CaptureLabels['settings'], Part>> = {
  train: 'train',
  validation: 'validation',
  demo: 'test',
};

/** A device is scored at most this often. */
const restUs = 250_000;

/** The folder's name becomes the source. Every `NAME.pcap` or `.pcapng` in the folder and those below it that has a `NAME.labels.json` beside it. */
export async function replayCaptures(folder: string, into: Dataset, progress: (line: string) => void): Promise<void> {
  const captures = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.labels.json'))
    .sort();
  if (captures.length === 0) throw new Error(`${folder} holds no capture with a .labels.json beside it`);
  const source = basename(folder);
  for (const labelsFile of captures) {
    const stem = join(folder, labelsFile.slice(0, -'.labels.json'.length));
    const capture = ['.pcap', '.pcapng'].map((ending) => stem + ending).find((path) => existsSync(path));
    if (capture === undefined) throw new Error(`${stem}.labels.json has no capture beside it`);
    const labels = CaptureLabels.parse(JSON.parse(readFileSync(`${stem}.labels.json`, 'utf8')));
    const before = into.rows.count;
    await replayCapture(capture, labels, source, into);
    progress(`${labels.name}: ${into.rows.count - before} flows and reports`);
  }
}

async function replayCapture(
  path: string,
  labels: CaptureLabels,
  source: string,
  { rows, sequences }: Dataset,
): Promise<void> {
  const inside = prefixOf(labels.lan_prefix);
  const part = partOf[labels.settings];
  // One at a time, for the step that a rule names is wanted too.
  const perRule = labels.rules.map((rule) => ({ ...labels, rules: [rule] }));
  const devices = new Map<string, DeviceWindow>();
  for await (const flow of readFlows(path)) {
    const ends: LabelledEnds = {
      a_ip: flow.src_ip,
      a_port: flow.src_port,
      b_ip: flow.dst_ip,
      b_port: flow.dst_port,
      protocol: flow.protocol,
      start_us: instantUs(flow.started_at),
    };
    const rule = perRule.find((alone) => labelOf(ends, alone) !== 'benign')?.rules[0];
    const row = rows.add(
      featureNames.map((name) => flow.features[name] ?? 0),
      rule?.class ?? 'benign',
      rule?.step ?? '',
    );
    for (const address of devicesOf(flow, inside)) {
      const device = devices.get(address) ?? new DeviceWindow(part === 'train' ? 0 : restUs);
      devices.set(address, device);
      device.add(flow.flow_number, row, instantUs(flow.last_packet_at));
    }
  }
  for (const [address, device] of devices) {
    sequences.push({ source, group: labels.site, device: address, part, windows: Int32Array.from(device.windows) });
  }
}

/** The newest ten flows of one device, and the windows that were due. */
class DeviceWindow {
  readonly windows: number[] = [];
  readonly #restUs: number;
  readonly #slots: { readonly flow: number; row: number }[] = [];
  #nowUs = 0;
  #scoredAtUs = Number.NEGATIVE_INFINITY;

  constructor(rest: number) {
    this.#restUs = rest;
  }

  add(flow: number, row: number, atUs: number): void {
    const slot = this.#slots.find((candidate) => candidate.flow === flow);
    if (slot !== undefined) slot.row = row;
    else {
      if (this.#slots.length === windowLength) this.#slots.shift();
      this.#slots.push({ flow, row });
    }
    this.#nowUs = Math.max(this.#nowUs, atUs);
    if (this.#nowUs - this.#scoredAtUs < this.#restUs) return;
    this.#scoredAtUs = this.#nowUs;
    for (let empty = this.#slots.length; empty < windowLength; empty++) this.windows.push(-1);
    for (const present of this.#slots) this.windows.push(present.row);
  }
}

async function* readFlows(path: string): AsyncGenerator<FlowLine> {
  const agent = fileURLToPath(new URL('../../../agent/src/main.ts', import.meta.url));
  const options = ['--profile', 'fixed', '--endings', 'live', '--format', 'jsonl'];
  const child = spawn(process.execPath, ['--conditions=@picket/source', agent, 'flows', path, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    yield FlowLine.parse(JSON.parse(line));
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`picket-agent flows ${path} ended with code ${code}`);
}

/** Inside ends of the flow; the responder where there is none. Nobody owns a multicast or broadcast address. */
function devicesOf(flow: FlowLine, inside: BlockList): string[] {
  const ends = [flow.src_ip, flow.dst_ip].filter((address) => {
    return inside.check(address, address.includes(':') ? 'ipv6' : 'ipv4') && !address.endsWith('.255');
  });
  if (ends.length > 0) return ends;
  return /^(22[4-9]|23\d|255|0)\.|^ff/i.test(flow.dst_ip) ? [] : [flow.dst_ip];
}

function prefixOf(text: string): BlockList {
  const [address = '', length] = text.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(length), address.includes(':') ? 'ipv6' : 'ipv4');
  return list;
}

/** ISO 8601 with microseconds. */
function instantUs(text: string): number {
  const seconds = text.slice(0, 19);
  return Date.parse(`${seconds}Z`) * 1000 + Number(text.slice(20, -1).padEnd(6, '0'));
}
