/** All flows of a dataset as one matrix; windows are lists of row numbers, so that mixing and cutting them copies nothing. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { unknownContext } from '@picket/shared/features/flow-context';
import { normaliseFeatures } from '@picket/shared/features/normalise-features';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';

/** When and between whom a flow was: what its place in a window is told by. */
export interface FlowSetting {
  /** First and newest packet, µs since 1970. */
  readonly startUs: number;
  readonly lastUs: number;
  /** A number that only flows between the same two hosts of one capture share. */
  readonly pair: number;
  /** Number into `FlowDirection.options`. */
  readonly direction: number;
  /** New flows of the device, and of it with this peer, of late. */
  readonly recentOfDevice: number;
  readonly recentOfPeer: number;
  /** First packet of the device's first flow, and of its first with this peer, µs since 1970. */
  readonly deviceSinceUs: number;
  readonly peerSinceUs: number;
  /** What the network is never shown, and names and counts are held against. Undefined where nobody knows. */
  readonly ends?: FlowEnds | undefined;
}

/** Addresses as text. */
export interface FlowEnds {
  readonly from: string;
  readonly to: string;
  /** IP protocol number. */
  readonly protocol: number;
  /** Of `to`. */
  readonly port: number;
}

/** Of flows that come from tables without addresses and times. */
const unknownSetting: FlowSetting = {
  startUs: Number.NaN,
  lastUs: Number.NaN,
  pair: unknownContext,
  direction: unknownContext,
  recentOfDevice: unknownContext,
  recentOfPeer: unknownContext,
  deviceSinceUs: Number.NaN,
  peerSinceUs: Number.NaN,
};

export class FlowRows {
  count = 0;
  /** count × 78, normalised as a gateway does it. */
  features = new Float32Array(1024 * featureCount);
  /** Index into `trafficClasses`. */
  classes = new Uint8Array(1024);
  /** What made the flow, as the tool and its setting; index into `originNames`. */
  origins = new Uint16Array(1024);
  /** Number into the dataset's `episodes`, -1 where the flow belongs to none. */
  episodes = new Int32Array(1024);
  /** 1: what an attack left behind after its end, such as a late reset. Neither attack nor honest life. */
  residues = new Uint8Array(1024);
  /** As in `FlowSetting`; NaN and −1 where unknown. */
  startUs = new Float64Array(1024);
  lastUs = new Float64Array(1024);
  pairs = new Int32Array(1024);
  directions = new Int8Array(1024);
  recentOfDevice = new Float32Array(1024);
  recentOfPeer = new Float32Array(1024);
  deviceSinceUs = new Float64Array(1024);
  peerSinceUs = new Float64Array(1024);
  readonly #ends: (FlowEnds | undefined)[] = [];
  readonly originNames: string[] = [];
  readonly #originNumbers = new Map<string, number>();

  /** The new row's number. `origin` says what made an attack flow; attacks are drawn evenly over their origins. */
  add(
    values: ArrayLike<number>,
    trafficClass: TrafficClass,
    origin: string,
    episode = -1,
    offset = 0,
    setting = unknownSetting,
  ): number {
    if (this.count === this.classes.length) {
      this.features = grown(this.features, new Float32Array(this.features.length * 2));
      this.classes = grown(this.classes, new Uint8Array(this.classes.length * 2));
      this.origins = grown(this.origins, new Uint16Array(this.origins.length * 2));
      this.residues = grown(this.residues, new Uint8Array(this.residues.length * 2));
      this.episodes = grown(this.episodes, new Int32Array(this.episodes.length * 2));
      this.startUs = grown(this.startUs, new Float64Array(this.startUs.length * 2));
      this.lastUs = grown(this.lastUs, new Float64Array(this.lastUs.length * 2));
      this.pairs = grown(this.pairs, new Int32Array(this.pairs.length * 2));
      this.recentOfDevice = grown(this.recentOfDevice, new Float32Array(this.recentOfDevice.length * 2));
      this.recentOfPeer = grown(this.recentOfPeer, new Float32Array(this.recentOfPeer.length * 2));
      this.deviceSinceUs = grown(this.deviceSinceUs, new Float64Array(this.deviceSinceUs.length * 2));
      this.peerSinceUs = grown(this.peerSinceUs, new Float64Array(this.peerSinceUs.length * 2));
      this.directions = grown(this.directions, new Int8Array(this.directions.length * 2));
    }
    normaliseFeatures(values, offset, this.features, this.count * featureCount);
    this.classes[this.count] = trafficClasses.indexOf(trafficClass);
    this.origins[this.count] = this.#originNumber(origin);
    this.episodes[this.count] = episode;
    this.startUs[this.count] = setting.startUs;
    this.lastUs[this.count] = setting.lastUs;
    this.pairs[this.count] = setting.pair;
    this.directions[this.count] = setting.direction;
    this.recentOfDevice[this.count] = setting.recentOfDevice;
    this.recentOfPeer[this.count] = setting.recentOfPeer;
    this.deviceSinceUs[this.count] = setting.deviceSinceUs;
    this.peerSinceUs[this.count] = setting.peerSinceUs;
    this.#ends.push(setting.ends);
    return this.count++;
  }

  endsOf(number: number): FlowEnds | undefined {
    return this.#ends[number];
  }

  row(number: number): Float32Array {
    return this.features.subarray(number * featureCount, (number + 1) * featureCount);
  }

  #originNumber(origin: string): number {
    const known = this.#originNumbers.get(origin);
    if (known !== undefined) return known;
    this.#originNumbers.set(origin, this.originNames.length);
    return this.originNames.push(origin) - 1;
  }
}

function grown<T extends { set(values: T): void }>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

export type Part = 'train' | 'validation' | 'test';

/** The windows of one device in one stretch of traffic, in the order in which they would have been scored. */
export interface WindowSequence {
  /** Where the flows come from: `cicids2017`, `iot-sentinel`, or a folder of captures. */
  readonly source: string;
  /** What is held out together: a host, a device type, a site. */
  readonly group: string;
  /** What was listened to in one go: no window reaches beyond it. */
  readonly capture: string;
  readonly device: string;
  readonly part: Part;
  /** count × 10 row numbers, oldest first; -1 in the slots before the present flows. */
  readonly windows: Int32Array;
  /** Row numbers of flows that passed before each window and are in none, oldest first: empty where there were none. */
  readonly passed?: readonly (readonly number[])[];
  /** Packet time of each window's newest flow, µs since 1970. */
  readonly atUs: Float64Array;
  /** 1 where enough of the window is new to count for N of M, as on a gateway. */
  readonly counts: Uint8Array;
}

/** What weighs as much as any other where benign windows are drawn or counted: a site, or a device type. */
export function groupOf({ source, group }: Pick<WindowSequence, 'source' | 'group'>): string {
  return `${source} ${group}`;
}

/** One run of one attack. */
export interface Episode {
  readonly source: string;
  readonly group: string;
  readonly capture: string;
  readonly part: Part;
  readonly class: TrafficClass;
  readonly tool: string;
  readonly step: string;
  readonly fromUs: number;
}

/** A gateway that was listened to. */
export interface Listening {
  readonly source: string;
  readonly group: string;
  readonly capture: string;
  readonly part: Part;
  readonly seconds: number;
  /** Before (`lan`) or behind (`wan`) the gateway's address translation. */
  readonly view: 'lan' | 'wan';
  readonly flows: number;
  /** Whether anything in it is an attack. */
  readonly isAttacked: boolean;
}

export interface Dataset {
  readonly rows: FlowRows;
  readonly sequences: WindowSequence[];
  readonly episodes: Episode[];
  readonly listenings: Listening[];
}

export function emptyDataset(): Dataset {
  return { rows: new FlowRows(), sequences: [], episodes: [], listenings: [] };
}

/** The window after each flow of a stretch: the newest up to ten flows so far. */
export function slidingWindows(rowNumbers: readonly number[]): Int32Array {
  const windows = new Int32Array(rowNumbers.length * windowLength).fill(-1);
  for (let end = 0; end < rowNumbers.length; end++) {
    const present = Math.min(end + 1, windowLength);
    for (let slot = 0; slot < present; slot++) {
      windows[(end + 1) * windowLength - 1 - slot] = rowNumbers[end - slot]!;
    }
  }
  return windows;
}
