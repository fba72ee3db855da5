import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { FlowRows, slidingWindows } from './flow-rows.ts';
import { labelWindow } from './label-window.ts';

function windowOf(rows: FlowRows, classes: readonly TrafficClass[], packets = 2): Int32Array {
  const numbers = classes.map((trafficClass) => {
    const values = new Float32Array(featureCount);
    values[2] = packets;
    return rows.add(values, trafficClass, trafficClass);
  });
  return slidingWindows(numbers).subarray(-windowLength);
}

function label(classes: readonly TrafficClass[], packets?: number): string | undefined {
  const rows = new FlowRows();
  const number = labelWindow(rows, windowOf(rows, classes, packets));
  return number === undefined ? undefined : trafficClasses[number];
}

test('windows slide by one flow and stand in the last slots while they are short', () => {
  const windows = slidingWindows([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  expect([...windows.subarray(0, 10)]).toEqual([-1, -1, -1, -1, -1, -1, -1, -1, -1, 5]);
  expect([...windows.subarray(20, 30)]).toEqual([-1, -1, -1, -1, -1, -1, -1, 5, 6, 7]);
  expect([...windows.subarray(100)]).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test('a window is labelled by its commonest attack, and left out where the attack is too faint', () => {
  expect(label(['benign', 'benign'])).toBe('benign');
  expect(label(['benign', 'port_scan', 'benign', 'port_scan'])).toBe('port_scan');
  expect(label(['port_scan', 'port_scan', 'botnet_beacon', 'botnet_beacon', 'botnet_beacon'])).toBe('botnet_beacon');
  expect(label(['benign', 'port_scan', 'benign'])).toBeUndefined();
  expect(label(['benign', 'data_exfiltration', 'benign'])).toBe('data_exfiltration');
});

test('a flood of single packets must be several flows; one flow of many packets is a flood alone', () => {
  expect(label(['ddos_flood', 'ddos_flood'])).toBeUndefined();
  expect(label(['ddos_flood', 'ddos_flood', 'ddos_flood'])).toBe('ddos_flood');
  expect(label(['benign', 'ddos_flood'], 500)).toBe('ddos_flood');
});

test('rows outgrow their first room, and hold what a gateway would make of them', () => {
  const rows = new FlowRows();
  const values = new Float64Array(featureCount).fill(3);
  values[14] = -1;
  values[15] = Number.POSITIVE_INFINITY;
  for (let index = 0; index < 5000; index++) rows.add(values, 'benign', '');
  expect(rows.count).toBe(5000);
  expect(rows.row(4999).subarray(13, 17)).toEqual(Float32Array.of(3, 0, 0, 3));
});
