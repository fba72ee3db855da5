/** What a replay came to, in numbers: the last line of its output. */
import type { Watch } from '../watch.ts';

export interface ReplaySummary {
  readonly packets: number;
  readonly flows: number;
  readonly reports: number;
  /** Flows that were ended early because the table was full; they are judged like others. */
  readonly evicted: number;
  readonly windows: number;
  readonly predictions: number;
  readonly attacks: number;
  readonly alerts: number;
  /** Wherever they happened: packets, flows or windows. */
  readonly drops: number;
  readonly undecodable: number;
  readonly seconds: number;
}

export function summaryOf(watch: Watch, seconds: number): ReplaySummary {
  const packets = watch.packets.counters;
  const { windows, predictions, attacks, alerts, dropped } = watch.pipeline.counters;
  return {
    packets: packets.packets,
    flows: packets.flows,
    reports: packets.reports,
    evicted: packets.evicted,
    windows,
    predictions,
    attacks,
    alerts,
    drops: packets.droppedKernel + packets.droppedFlows + dropped,
    undecodable: packets.undecodable,
    seconds: Number(seconds.toFixed(3)),
  };
}

/** For people. */
export function describeSummary(summary: ReplaySummary): string {
  const rate = Math.round(summary.packets / summary.seconds);
  const figures = `${summary.packets} packets in ${summary.seconds.toFixed(1)} s (${rate}/s): ${summary.flows} flows, ${summary.predictions} predictions, ${summary.attacks} of them attacks, ${summary.alerts} alerts; ${summary.drops} dropped, ${summary.undecodable} undecodable`;
  if (summary.flows === 0 || summary.predictions > 0) return figures;
  return `${figures}\nnothing was scored, for none of the flows is a device's: say with --lan PREFIX whose they are (127.0.0.0/8 where both ends are on one machine)`;
}
