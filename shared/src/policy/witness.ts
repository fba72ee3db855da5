/** What is remembered of a scored window as evidence, and who spoke in it: a MAC answers only for what it sent. */
import { trafficClasses } from '../features/traffic-classes.ts';
import { halfOpenFlood, type HalfOpenFlood } from './half-open-flood.ts';
import { macsOf, type AttackClass, type JudgedWindow } from './judged-window.ts';
import { fitsFlows } from './service-ports.ts';

export interface Witness extends Pick<JudgedWindow, 'atUs' | 'score' | 'threshold' | 'attack' | 'flowsSeen'> {
  /** What it shows beside the network's word, for it needs no network to be seen; undefined where that is nothing new. */
  readonly flood: HalfOpenFlood | undefined;
  /** What its flows can be: nothing else is said of it, whatever the windows before it were. */
  readonly canBe: ReadonlySet<AttackClass>;
  /** It shows one, new or not: the network is not asked whether that is a flood. */
  readonly isPlain: boolean;
  /** A router brought some of what it shows in the device's own name: it proves nothing against the device. */
  readonly isRelayed: boolean;
  /** More than one MAC spoke in the device's name: it proves nothing against any of them. */
  readonly isContested: boolean;
  /** With which MAC hosts of its link spoke in it. */
  readonly spoken: readonly Spoken[];
  /** Whom it points to by itself, as `hostsOf` has it. */
  readonly pointsTo: readonly string[];
}

interface Spoken {
  readonly address: string;
  readonly mac: string;
}

const attackClasses = trafficClasses.filter((name) => name !== 'benign');

/** `flood`: what is new of the flood that it shows. */
export function witnessOf(
  window: JudgedWindow,
  flood: HalfOpenFlood | undefined,
  pointsTo: readonly string[],
): Witness {
  const { atUs, score, threshold, attack, flowsSeen, flows } = window;
  const { address } = window.device;
  return {
    atUs,
    score,
    threshold,
    attack,
    canBe: new Set([attack, ...attackClasses.filter((name) => fitsFlows(name, address, flows))]),
    flowsSeen,
    flood,
    isPlain: flood !== undefined || halfOpenFlood(window) !== undefined,
    isRelayed: flows.some((flow) => flow.isRelayed === true && flow.srcIp === address),
    isContested: macsOf(flows, address).length > 1,
    spoken: spokenIn(window),
    pointsTo,
  };
}

/** Each host once for each MAC. Whoever is outside speaks with the MAC of a router. */
function spokenIn({ flows }: JudgedWindow): readonly Spoken[] {
  const spoken: Spoken[] = [];
  for (const { srcIp, srcMac, direction } of flows) {
    if (srcMac == null || direction === 'inbound') continue;
    if (!spoken.some(({ address, mac }) => address === srcIp && mac === srcMac))
      spoken.push({ address: srcIp, mac: srcMac });
  }
  return spoken;
}

/** Those in which nobody spoke under this address with another MAC than the last that did. */
export function ofOneSpeaker(witnesses: readonly Witness[], speaker: string): readonly Witness[] {
  const isHis = ({ address }: Spoken): boolean => address === speaker;
  const last = witnesses.findLast(({ spoken }) => spoken.some(isHis))?.spoken.findLast(isHis)?.mac;
  return witnesses.filter(({ spoken }) => spoken.every((one) => !isHis(one) || one.mac === last));
}
