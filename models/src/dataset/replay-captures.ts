/**
 * Folders of captures, extracted by the agent itself. Beside a capture stands either `NAME.labels.json`, which says
 * what is true of each flow, or nothing: then its folder says it, `…/benign/…` or `…/attack/…`, and the folder that it
 * stands in is the type of the device.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { CaptureLabels } from '../../range/labels.ts';
import { packFlows } from '../../range/pack-flows.ts';
import type { CaptureSplit } from './capture-split.ts';
import { cutWindows } from './cut-windows.ts';
import type { FlowPack } from './flow-pack.ts';
import type { Dataset, Part } from './flow-rows.ts';

/** What an agent takes for the inside when nobody tells it. */
const usualPrefixes = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'];

/**
 * Every `.pcap` and `.pcapng` in the folder and those below it. The source is the one that the split has the device type
 * of, else the folder's name.
 */
export async function replayCaptures(
  folder: string,
  split: CaptureSplit,
  into: Dataset,
  progress: (line: string) => void,
): Promise<void> {
  const captures = capturesIn(folder);
  if (captures.length === 0) throw new Error(`${folder} holds no .pcap and no .pcapng`);
  for (const name of captures) {
    const { source, pack } = await packCapture(folder, name, split);
    cutWindows(pack, source, into);
    progress(`${pack.header.name}: ${pack.header.rows} flows and reports`);
  }
}

/**
 * In the order in which packs of them stand in one folder, `benign_Plug_a.pcap.flows` for `benign/Plug/a.pcap`: a training draws by
 * order, and the same captures are to train the same network either way.
 */
export function capturesIn(folder: string): string[] {
  const flat = (name: string): string => name.replaceAll(sep, '_');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .sort((a, b) => (flat(a) < flat(b) ? -1 : 1));
}

/** Throws where the agent cannot read the capture or nothing says what is true of it. */
async function packCapture(
  folder: string,
  name: string,
  split: CaptureSplit,
): Promise<{ readonly source: string; readonly pack: FlowPack }> {
  const path = join(folder, name);
  const { source, labels } = labelsOf(folder, name, split);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const pack = await packFlows(path, labels, sha256, new AbortController().signal);
  if (labels.to_us > 0) return { source, pack };
  const from = pack.startUs.reduce((least, value) => Math.min(least, value), Number.MAX_SAFE_INTEGER);
  const to = pack.lastUs.reduce((most, value) => Math.max(most, value), 0);
  return { source, pack: { ...pack, header: { ...pack.header, from_us: Math.min(from, to), to_us: to } } };
}

interface Labelled {
  readonly source: string;
  readonly labels: CaptureLabels;
}

function labelsOf(folder: string, name: string, split: CaptureSplit): Labelled {
  const plain = name.replace(/\.pcap(ng)?$/, '');
  const beside = join(folder, `${plain}.labels.json`);
  const usualSource = basename(folder);
  if (existsSync(beside)) {
    return { source: usualSource, labels: CaptureLabels.parse(JSON.parse(readFileSync(beside, 'utf8'))) };
  }
  const folders = dirname(join(usualSource, name)).split(sep);
  const isAttack = folders.includes('attack');
  if (isAttack === folders.includes('benign')) {
    throw new Error(
      `${join(folder, name)} has no .labels.json beside it and stands in no folder named benign or attack: its truth is unknown`,
    );
  }
  const deviceType = folders.at(-1)!;
  const source = split.sourceOf(deviceType) ?? usualSource;
  // What stands right in benign/ is of no type that could be held out, and nobody knows when an attack began.
  const part = isAttack || deviceType === 'benign' ? 'test' : split.partOf(source, deviceType);
  return { source, labels: wholeLabels(plain, deviceType, part, isAttack) };
}

/** All of the capture is one attack of unknown kind and time, or none of it. */
function wholeLabels(name: string, site: string, settings: Part, isAttack: boolean): CaptureLabels {
  const anywhere = { src_ip: null, dst_ip: null, protocol: null, dst_port: null, except: [] };
  const always = { from_us: 0, to_us: Number.MAX_SAFE_INTEGER };
  const attack = { class: 'other_attack' as const, ...anywhere, ...always, step: name, tool: name, episode: 0 };
  return {
    format: 1,
    name,
    site,
    seed: 0,
    settings,
    lan_prefix: usualPrefixes[0]!,
    lan_prefixes: usualPrefixes,
    kind: isAttack ? 'attack' : 'life',
    from_us: 0,
    to_us: 0,
    rules: isAttack ? [attack] : [],
  };
}
