/** What a replay came to: in numbers, and in words where there is no alert, or where the devices may be the wrong ones. */
import { numberInWords } from '@picket/shared/features/feature-words';
import { windowLength } from '@picket/shared/features/feature-schema';
import { classDescriptions } from '@picket/shared/features/traffic-classes';
import type { Watch } from '../watch.ts';
import { minFreshFlows } from '../window/device-windows.ts';
import { likelyPrefix, type AttackWindows, type HighestScore, type OutcomeFigures } from './replay-outcome.ts';

export interface ReplaySummary {
  readonly packets: number;
  readonly flows: number;
  readonly reports: number;
  /** Flows that were ended early because the table was full; they are judged like others. */
  readonly evicted: number;
  /** Of which windows were scored. */
  readonly devices: number;
  readonly windows: number;
  readonly predictions: number;
  readonly attacks: number;
  readonly alerts: number;
  /** The window that scored highest; null: none was scored. */
  readonly highest: HighestScore | null;
  /** Wherever they happened: packets, flows or windows. */
  readonly drops: number;
  readonly undecodable: number;
  readonly seconds: number;
}

export function summaryOf(watch: Watch, { devices, highest }: OutcomeFigures, seconds: number): ReplaySummary {
  const packets = watch.packets.counters;
  const { windows, predictions, attacks, alerts, dropped } = watch.pipeline.counters;
  return {
    packets: packets.packets,
    flows: packets.flows,
    reports: packets.reports,
    evicted: packets.evicted,
    devices,
    windows,
    predictions,
    attacks,
    alerts,
    highest,
    drops: packets.droppedKernel + packets.droppedFlows + dropped,
    undecodable: packets.undecodable,
    seconds: Number(seconds.toFixed(3)),
  };
}

/** From so many packets on the rate is that of the replay, and not of its start. */
const leastForRate = 100_000;
const maxNamed = 3;

/** For people. `links`: of which the capture has packets that cannot be read; empty: none. */
export function describeSummary(summary: ReplaySummary, outcome: OutcomeFigures, links: string): string {
  const { packets, flows, devices, predictions, attacks, alerts, drops, undecodable, seconds } = summary;
  const rate = packets < leastForRate ? '' : ` (${numberInWords(packets / seconds)} a second)`;
  const figures =
    `${counted(packets, 'packet')} in ${seconds.toFixed(1)} s${rate}: ${counted(flows, 'flow')}, ` +
    `${counted(predictions, 'window')} of ${counted(devices, 'device')} scored, ${attacks} of them as an attack, ` +
    `${counted(alerts, 'alert')}; ${drops} dropped, ${undecodable} undecodable`;
  const lines = [figures, whyNoFlows(summary, links), whyNoAlert(summary, outcome), whoseDevices(summary, outcome)];
  return lines.filter((line) => line !== '').join('\n');
}

function whyNoFlows({ packets, flows, undecodable }: ReplaySummary, links: string): string {
  if (links !== '')
    return `packets of links that are not supported were left out: ${links}. Capture on an Ethernet, cooked, raw IP or loopback interface`;
  if (flows > 0) return '';
  if (packets === 0) return 'nothing was judged: the capture holds no packets';
  if (undecodable === packets) return 'nothing was judged: none of the packets could be read';
  return 'nothing was judged: none of the packets is part of a conversation over IP (ARP and the like are not looked at)';
}

function whyNoAlert(summary: ReplaySummary, { highest, threshold, fullest, attacked }: OutcomeFigures): string {
  const { flows, alerts } = summary;
  if (flows === 0 || alerts > 0) return '';
  if (highest === null || threshold === null)
    return 'nothing was scored, for none of the flows is a device’s: say with --lan PREFIX whose they are (127.0.0.0/8 where both ends are on one machine)';
  const limit = threshold.toFixed(2);
  const few =
    fullest < windowLength ? `; no window held more than ${counted(fullest, 'flow')}, where a full one holds ten` : '';
  if (attacked.length === 0)
    return `no alert: the highest score is ${highest.score.toFixed(2)} (${highest.device} at ${highest.at}), an attack begins at ${limit}, and nothing was an attack by its number alone${few}`;
  const [first, ...others] = attacked.slice(0, maxNamed).map(inWords);
  const rest = attacked.length > maxNamed ? `, and more of ${counted(attacked.length - maxNamed, 'other device')}` : '';
  return (
    `no alert, though some scored ${limit} or more: ${[first, ...others].join(', ')}${rest}${few}. ` +
    `A window counts where it has ${minFreshFlows} new or updated flows, and no single one raises an alert: ` +
    'rules ask for 2 to 4 of the last few windows that count, or for 15 of 20 (docs/operations.md)'
  );
}

function inWords({ device, windows, counted: count, attack, score }: AttackWindows): string {
  return `${counted(windows, 'window')} of ${device} (${classDescriptions[attack].title}, up to ${score.toFixed(2)}), of which ${count === 0 ? 'none counts' : `${count} ${count === 1 ? 'counts' : 'count'}`}`;
}

/** Where many flows have no end in the LAN, the LAN may be another. */
function whoseDevices({ flows }: ReplaySummary, { outside }: OutcomeFigures): string {
  if (outside === null || outside.flows * 4 < flows) return '';
  const { busiest } = outside;
  return (
    `${counted(outside.flows, 'flow')} of ${flows} have both ends outside of the LAN, and whoever was asked was taken for the device. ` +
    `If ${busiest}, the busiest of them, is one of your devices, say so: --lan ${likelyPrefix(busiest)}`
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
