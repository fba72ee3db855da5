/** What a window is called: the truth that training learns and figures are held against. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { FlowRows } from './flow-rows.ts';

/** So few flows of an attack say nothing yet: one refused connection is no scan. Such windows are left out. */
const fewestFlows: Readonly<Partial<Record<TrafficClass, number>>> = {
  slow_rate: 2,
  port_scan: 2,
  brute_force_ssh: 2,
  brute_force_ftp: 2,
  botnet_beacon: 2,
};
/** A flood counts from its first flow only where that flow is itself a flood; short flows must be several. */
const floodFlows = 3;
const floodPackets = 50;

/**
 * The class that a window should get: the commonest attack in it, `benign` where there is none, undefined where the
 * attack is too faint to be asked for, or over and only its remains are left.
 */
export function labelWindow(rows: FlowRows, window: Int32Array): number | undefined {
  const counts = new Uint8Array(trafficClasses.length);
  let largestFlow = 0;
  let hasResidue = false;
  for (const number of window) {
    if (number < 0) continue;
    const trafficClass = rows.classes[number]!;
    counts[trafficClass]! += 1;
    if (rows.residues[number] === 1) hasResidue = true;
    if (trafficClass === floodClass) {
      largestFlow = Math.max(
        largestFlow,
        rows.features[number * featureCount + 2]! + rows.features[number * featureCount + 3]!,
      );
    }
  }
  let label = 0;
  for (let index = 1; index < counts.length; index++) {
    if (counts[index]! > 0 && (label === 0 || counts[index]! > counts[label]!)) label = index;
  }
  if (label === 0) return hasResidue ? undefined : 0;
  if (label === floodClass) return largestFlow >= floodPackets || counts[label]! >= floodFlows ? label : undefined;
  return counts[label]! >= (fewestFlows[trafficClasses[label]!] ?? 1) ? label : undefined;
}

const floodClass = trafficClasses.indexOf('ddos_flood');
