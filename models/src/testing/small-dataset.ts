/** What a network learns within seconds: sensors, and victims of scans, for each part. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { emptyDataset, slidingWindows } from '../dataset/flow-rows.ts';
import type { Dataset, Part } from '../dataset/flow-rows.ts';
import { seededRandom } from '../dataset/seeded-random.ts';

/** Scans are short flows to many ports; benign flows are longer and go to one. */
export function smallDataset(): Dataset {
  const made = emptyDataset();
  const random = seededRandom(5);
  const stretch = (part: Part, trafficClass: 'benign' | 'port_scan', device: string): void => {
    const numbers = Array.from({ length: 120 }, (_, index) => {
      const values = Float32Array.from({ length: featureCount }, () => 5 * random());
      const isScan = trafficClass === 'port_scan';
      values[0] = isScan ? index : 443;
      values[2] = isScan ? 1 : 8 + 4 * random();
      values[4] = isScan ? 0 : 900 * random();
      return made.rows.add(values, trafficClass, trafficClass);
    });
    made.sequences.push({
      source: 'made',
      group: part,
      capture: `${part} ${device}`,
      device,
      part,
      windows: slidingWindows(numbers),
      atUs: Float64Array.from(numbers, (_, index) => index * 1e6),
      counts: Uint8Array.from(numbers, (_, index) => (index % 5 === 4 ? 1 : 0)),
    });
    const isAttacked = trafficClass === 'port_scan';
    const key = { source: 'made', group: part, capture: `${part} ${device}`, part, view: 'lan' as const };
    made.listenings.push({ ...key, seconds: 120, flows: 120, isAttacked });
  };
  for (const part of ['train', 'validation', 'test'] as const) {
    stretch(part, 'benign', 'sensor');
    stretch(part, 'port_scan', 'victim');
  }
  return made;
}
