/** What a network learns within seconds: sensors, and victims of scans, for each part. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { emptyDataset, slidingWindows } from '../dataset/flow-rows.ts';
import type { Dataset, Episode, Part } from '../dataset/flow-rows.ts';
import { seededRandom } from '../dataset/seeded-random.ts';

/** Scans are short flows to many ports; benign flows are longer and go to one. With floods, large ones, there is a second attack. */
export function smallDataset({ floods = false } = {}): Dataset {
  const made = emptyDataset();
  const random = seededRandom(5);
  const stretch = (part: Part, trafficClass: TrafficClass, device: string): void => {
    const numbers = Array.from({ length: 120 }, (_, index) => {
      const values = Float32Array.from({ length: featureCount }, () => 5 * random());
      const isScan = trafficClass === 'port_scan';
      values[0] = isScan ? index : 443;
      values[2] = isScan ? 1 : 8 + 4 * random();
      values[4] = isScan ? 0 : 900 * random();
      if (trafficClass === 'ddos_flood') values[2] = 5000;
      const run = trafficClass === 'benign' ? -1 : made.episodes.length;
      return made.rows.add(values, trafficClass, trafficClass, run);
    });
    if (trafficClass !== 'benign')
      made.episodes.push({ ...keyOf(part, device), class: trafficClass, tool: trafficClass, step: '', fromUs: 1 });
    made.sequences.push({
      ...keyOf(part, device),
      device,
      windows: slidingWindows(numbers),
      atUs: Float64Array.from(numbers, (_, index) => index * 1e6),
      counts: Uint8Array.from(numbers, (_, index) => (index % 5 === 4 ? 1 : 0)),
    });
    const isAttacked = trafficClass !== 'benign';
    const key = { ...keyOf(part, device), view: 'lan' as const };
    made.listenings.push({ ...key, seconds: 120, flows: 120, isAttacked });
  };
  for (const part of ['train', 'validation', 'test'] as const) {
    stretch(part, 'benign', 'sensor');
    stretch(part, 'port_scan', 'victim');
  }
  if (floods) for (const part of ['train', 'validation', 'test'] as const) stretch(part, 'ddos_flood', 'server');
  return made;
}

function keyOf(part: Part, device: string): Pick<Episode, 'source' | 'group' | 'capture' | 'part'> {
  return { source: 'made', group: part, capture: `${part} ${device}`, part };
}
