/** One capture through `picket-agent flows`, row by row, with whose each row is and which attack made it. */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { type FlowPack, directions, nothing } from '../src/dataset/flow-pack.ts';
import type { PackedEpisode } from '../src/dataset/flow-pack-header.ts';
import { agentFlows, instantUs } from './agent-flows.ts';
import { devicesOf, directionOf, insideOf } from './flow-owners.ts';
import { type CaptureLabels, type LabelRule, ruleOf } from './labels.ts';

/** Rows of one episode that are kept for one device: as many from its beginning as from its end. */
const mostOfEpisode = 600;

interface Row {
  readonly features: Float32Array;
  readonly startUs: number;
  readonly lastUs: number;
  readonly flowNumber: number;
  readonly reportNumber: number;
  readonly device: string;
  readonly otherDevice: string | undefined;
  readonly peer: string;
  readonly port: number;
  readonly protocol: number;
  readonly episode: number;
  /** Number into `directions`. */
  readonly direction: number;
}

/** Extract, label and thin out. Throws where the agent cannot read the capture. */
export async function packFlows(
  capture: string,
  labels: CaptureLabels,
  sha256: string,
  signal: AbortSignal,
): Promise<FlowPack> {
  const inside = insideOf(labels.lan_prefixes ?? [labels.lan_prefix]);
  const episodes = episodesOf(labels.rules);
  const rows: Row[] = [];
  for await (const line of agentFlows(capture, signal)) {
    const devices = devicesOf(line, inside);
    const device = devices[0];
    if (device === undefined) continue;
    const startUs = instantUs(line.started_at);
    const ends = {
      a_ip: line.src_ip,
      a_port: line.src_port,
      b_ip: line.dst_ip,
      b_port: line.dst_port,
      protocol: line.protocol,
      start_us: startUs,
    };
    const rule = ruleOf(ends, labels);
    rows.push({
      features: Float32Array.from(featureNames, (name) => line.features[name] ?? 0),
      startUs,
      lastUs: instantUs(line.last_packet_at),
      flowNumber: line.flow_number,
      reportNumber: Math.min(line.report_number, 65_535),
      device,
      otherDevice: devices[1],
      peer: line.src_ip === device ? line.dst_ip : line.src_ip,
      port: line.dst_port,
      protocol: line.protocol,
      episode: rule === undefined ? nothing : episodes.number(rule),
      direction: directions.indexOf(directionOf(line, inside)),
    });
  }
  const kept = thin(rows);
  // what never came to this side of the gateway was nothing to be seen
  const seen = [...new Set(kept.map(({ episode }) => episode))]
    .filter((episode) => episode !== nothing)
    .sort((x, y) => x - y);
  const renumbered = new Map(seen.map((episode, index) => [episode, index]));
  const addresses = new Numbered();
  const packed = columns(
    kept.map((row) => ({ ...row, episode: renumbered.get(row.episode) ?? nothing })),
    addresses,
  );
  return {
    header: header(
      labels,
      sha256,
      rows.length,
      kept.length,
      addresses,
      seen.map((episode) => episodes.list[episode]!),
    ),
    ...packed,
  };
}

function header(
  labels: CaptureLabels,
  sha256: string,
  all: number,
  kept: number,
  addresses: Numbered,
  episodes: PackedEpisode[],
): FlowPack['header'] {
  return {
    format: 3,
    name: labels.name,
    site: labels.site,
    seed: labels.seed,
    part: labels.settings === 'demo' ? 'test' : labels.settings,
    kind: labels.kind ?? (labels.rules.length === 0 ? 'life' : 'attack'),
    view: labels.view ?? 'lan',
    profile: 'fixed',
    lan_prefixes: labels.lan_prefixes ?? [labels.lan_prefix],
    from_us: labels.from_us,
    to_us: labels.to_us,
    capture_sha256: sha256,
    rows: kept,
    dropped_rows: all - kept,
    addresses: addresses.list,
    episodes,
  };
}

function columns(rows: readonly Row[], addresses: Numbered): Omit<FlowPack, 'header'> {
  const features = new Float32Array(rows.length * featureCount);
  for (const [index, row] of rows.entries()) features.set(row.features, index * featureCount);
  return {
    features,
    startUs: Float64Array.from(rows, (row) => row.startUs),
    lastUs: Float64Array.from(rows, (row) => row.lastUs),
    flowNumber: Uint32Array.from(rows, (row) => row.flowNumber),
    reportNumber: Uint16Array.from(rows, (row) => row.reportNumber),
    device: Uint16Array.from(rows, (row) => addresses.of(row.device)),
    otherDevice: Uint16Array.from(rows, ({ otherDevice }) =>
      otherDevice === undefined ? nothing : addresses.of(otherDevice),
    ),
    peer: Uint16Array.from(rows, (row) => addresses.of(row.peer)),
    port: Uint16Array.from(rows, (row) => row.port),
    protocol: Uint8Array.from(rows, (row) => row.protocol),
    episode: Uint16Array.from(rows, (row) => row.episode),
    direction: Uint8Array.from(rows, (row) => row.direction),
  };
}

/** Of an episode with very many rows on one device the middle is left out. Order stays. */
function thin(rows: readonly Row[]): Row[] {
  const totals = new Map<string, number>();
  const keyOf = (row: Row): string => `${row.episode} ${row.device}`;
  for (const row of rows) totals.set(keyOf(row), (totals.get(keyOf(row)) ?? 0) + 1);
  const seen = new Map<string, number>();
  return rows.filter((row) => {
    if (row.episode === nothing) return true;
    const key = keyOf(row);
    const index = seen.get(key) ?? 0;
    seen.set(key, index + 1);
    const total = totals.get(key)!;
    return total <= mostOfEpisode || index < mostOfEpisode / 2 || index >= total - mostOfEpisode / 2;
  });
}

/** Texts as small numbers, in the order in which they came. Made-up sources of floods share the last number there is. */
class Numbered {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const isFull = this.list.length >= mostAddresses;
    const number = isFull ? mostAddresses : this.list.length;
    if (!isFull) this.list.push(text);
    else this.list[mostAddresses] = 'others';
    this.#numbers.set(text, number);
    return number;
  }
}
const mostAddresses = 65_000;

/** Rules of one run are one episode; older labels have a run per rule. */
function episodesOf(rules: readonly LabelRule[]): { list: PackedEpisode[]; number(rule: LabelRule): number } {
  const list: PackedEpisode[] = [];
  const numbers = new Map<LabelRule | number, number>();
  for (const rule of rules) {
    const key = rule.episode ?? rule;
    if (numbers.has(key)) continue;
    numbers.set(key, list.length);
    const tool = rule.tool ?? rule.step.split(' ')[0] ?? '';
    list.push({
      class: rule.class,
      tool,
      step: rule.step,
      from: rule.src_ip ?? '',
      to: rule.dst_ip ?? '',
      from_us: rule.from_us,
      to_us: rule.to_us,
    });
  }
  return { list, number: (rule) => numbers.get(rule.episode ?? rule)! };
}
