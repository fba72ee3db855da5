/**
 * From the flows of a capture to the windows that a gateway would have scored: the newest ten flows of each device, a
 * report in the slot of its own flow, at the pace of a gateway, and only those with enough new in them
 * counted as evidence. The same rules as the agent's `device-windows.ts`, over a pack instead of a running capture.
 */
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { directionNumber, unknownContext } from '@picket/shared/features/flow-context';
import { RecentFlows } from '@picket/shared/features/recent-flows';
import { mostPassed, ScoringPace } from '@picket/shared/features/scoring-pace';
import { attackersOf } from './attackers-of.ts';
import type { FlowPack } from './flow-pack.ts';
import { directions, nothing } from './flow-pack.ts';
import type { Dataset, FlowEnds } from './flow-rows.ts';

/** So many new or updated flows make independent evidence; or one living flow that grew like a flood. */
const freshFlows = 5;
const surgePackets = 64;
const surgePacketsPerSecond = 50;

const fwdPackets = featureNames.indexOf('Total Fwd Packets');
const bwdPackets = featureNames.indexOf('Total Backward Packets');

const none: readonly number[] = [];

interface Slot {
  flow: number;
  row: number;
  lastUs: number;
  packets: number;
  /** In a window, as it is now. */
  isShown: boolean;
}

interface DeviceState {
  readonly recent: RecentFlows;
  readonly slots: Slot[];
  readonly windows: number[];
  readonly passed: (readonly number[])[];
  readonly passing: number[];
  readonly atUs: number[];
  readonly counts: number[];
  readonly pace: ScoringPace;
  fresh: number;
  surged: boolean;
}

/**
 * Adds the pack's flows, windows and episodes to the dataset under `source`. A training part keeps every change of a
 * window, the others keep what would have been scored.
 */
export function cutWindows(pack: FlowPack, source: string, into: Dataset): void {
  const { header } = pack;
  const { part } = header;
  const capture = header.name;
  const group = header.site;
  const firstEpisode = into.episodes.length;
  for (const episode of header.episodes) {
    const { class: trafficClass, tool, step, from_us: fromUs } = episode;
    into.episodes.push({ source, group, capture, part, class: trafficClass, tool, step, fromUs });
  }
  const isAttacker = attackersOf(header);
  const lastRowOf = new Map<number, number>();
  for (let row = 0; row < header.rows; row++) lastRowOf.set(pack.flowNumber[row]!, row);
  into.listenings.push({
    source,
    group,
    capture,
    part,
    view: header.view,
    seconds: listenedSeconds(pack),
    flows: lastRowOf.size,
    isAttacked: header.episodes.length > 0,
  });

  // Packs have their own numbers of hosts; pairs of different packs must not meet.
  const firstPair = into.rows.count;
  const pairs = new Map<number, number>();
  const pairOf = (a: number, b: number): number => {
    const key = Math.min(a, b) * 65_536 + Math.max(a, b);
    const pair = pairs.get(key) ?? firstPair + pairs.size;
    pairs.set(key, pair);
    return pair;
  };

  const devices = new Map<number, DeviceState>();
  const waiting = new Set<DeviceState>();
  const scoresAll = part === 'train';
  let nowUs = 0;
  const score = (state: DeviceState): void => {
    waiting.delete(state);
    state.pace.noteScored(nowUs);
    for (let empty = state.slots.length; empty < windowLength; empty++) state.windows.push(-1);
    for (const slot of state.slots) {
      state.windows.push(slot.row);
      slot.isShown = true;
    }
    state.passed.push(state.passing.length > 0 ? state.passing.splice(0) : none);
    state.atUs.push(Math.max(...state.slots.map(({ lastUs }) => lastUs)));
    const counts = state.fresh >= freshFlows || state.surged;
    state.counts.push(counts ? 1 : 0);
    if (!counts) return;
    state.fresh = 0;
    state.surged = false;
  };

  for (let index = 0; index < header.rows; index++) {
    const episode = pack.episode[index]!;
    const truth = header.episodes[episode];
    const pair = pairOf(pack.device[index]!, pack.peer[index]!);
    const isResidue = truth === undefined && isAttacker(pack, index);
    nowUs = Math.max(nowUs, pack.lastUs[index]!);
    const ends = endsOf(pack, index);
    const isReport = lastRowOf.get(pack.flowNumber[index]!) !== index;
    for (const device of [pack.device[index]!, pack.otherDevice[index]!]) {
      if (device === nothing) continue;
      const state = devices.get(device) ?? newState();
      devices.set(device, state);
      const isNew = pack.reportNumber[index] === 0;
      const recent = state.recent.add(pair, isNew, pack.startUs[index]!, pack.lastUs[index]!);
      // A row for each device: what was there of late is not the same for both.
      const row = into.rows.add(
        pack.features,
        truth?.class ?? 'benign',
        truth?.step ?? '',
        truth === undefined ? -1 : firstEpisode + episode,
        index * featureCount,
        {
          startUs: pack.startUs[index]!,
          lastUs: pack.lastUs[index]!,
          pair,
          direction: directionOf(pack, index),
          recentOfDevice: recent.ofDevice,
          recentOfPeer: recent.ofPeer,
          deviceSinceUs: recent.deviceSinceUs,
          peerSinceUs: recent.peerSinceUs,
          ends,
        },
      );
      if (isResidue) into.rows.residues[row] = 1;
      place(state, pack, index, row, isReport);
      if (scoresAll || state.pace.isDue(nowUs, state.fresh)) score(state);
      else waiting.add(state);
    }
    for (const state of waiting) {
      if (!state.pace.hasRested(nowUs)) break;
      score(state);
    }
  }
  for (const state of waiting) score(state);
  for (const [device, state] of devices) {
    into.sequences.push({
      source,
      group,
      capture,
      device: header.addresses[device]!,
      part,
      windows: Int32Array.from(state.windows),
      passed: state.passed,
      atUs: Float64Array.from(state.atUs),
      counts: Uint8Array.from(state.counts),
    });
  }
}

/** A silence longer than this is a capture that was joined from several, not a gateway that was listened to. */
const longestSilenceUs = 600_000_000;

function listenedSeconds({ header, lastUs }: FlowPack): number {
  const times = [header.from_us, ...lastUs.toSorted(), header.to_us];
  const listenedUs = times.reduce((sum, time, index) => {
    const before = times[index - 1] ?? time;
    return sum + Math.max(0, Math.min(time - before, longestSilenceUs));
  }, 0);
  return listenedUs / 1e6;
}

function directionOf(pack: FlowPack, row: number): number {
  const direction = directions[pack.direction[row]!];
  return direction === undefined ? unknownContext : directionNumber(direction);
}

/** Undefined where a pack does not know who opened a flow. Made-up sources, which it does not name, are ''. */
function endsOf(pack: FlowPack, row: number): FlowEnds | undefined {
  const direction = directions[pack.direction[row]!];
  const { addresses } = pack.header;
  const [device, peer = ''] = [addresses[pack.device[row]!], addresses[pack.peer[row]!]];
  if (direction === undefined || device === undefined) return undefined;
  const [from, to] = direction === 'inbound' ? [peer, device] : [device, peer];
  return { from, to, protocol: pack.protocol[row]!, port: pack.port[row]! };
}

function newState(): DeviceState {
  return {
    recent: new RecentFlows(),
    slots: [],
    windows: [],
    passed: [],
    passing: [],
    atUs: [],
    counts: [],
    pace: new ScoringPace(),
    fresh: 0,
    surged: false,
  };
}

function place(state: DeviceState, pack: FlowPack, index: number, row: number, isReport: boolean): void {
  const flow = pack.flowNumber[index]!;
  const lastUs = pack.lastUs[index]!;
  const packets = pack.features[index * featureCount + fwdPackets]! + pack.features[index * featureCount + bwdPackets]!;
  const before = state.slots.find((slot) => slot.flow === flow);
  if (isReport) {
    const gained = packets - (before?.packets ?? 0);
    const seconds = (lastUs - (before?.lastUs ?? pack.startUs[index]!)) / 1e6;
    if (gained >= surgePackets && gained >= surgePacketsPerSecond * seconds) state.surged = true;
  }
  state.fresh += 1;
  if (before !== undefined) {
    before.row = row;
    before.lastUs = lastUs;
    before.packets = packets;
    before.isShown = false;
    return;
  }
  const left = state.slots.length === windowLength ? state.slots.shift() : undefined;
  if (left !== undefined && !left.isShown && state.passing.length < mostPassed) state.passing.push(left.row);
  state.slots.push({ flow, row, lastUs, packets, isShown: false });
}
