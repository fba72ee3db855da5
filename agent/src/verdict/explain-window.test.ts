/** What an alert tells of the network's reasons: features, numbers of the context, flows. */
import { expect, test } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { Explanation } from '@picket/shared/contract/prediction';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { attributionWidth } from '../detection/detector.ts';
import { contextOf, filled, moved, newcomer, normalsOf } from '../testing/explained-windows.ts';
import { DeviceNormals } from '../window/device-normal.ts';
import { explainWindow } from './explain-window.ts';

const bootId = newId() as BootId;

test('the ten strongest come with value, unit, share over all flows, and the flow that did most of it', () => {
  const context = contextOf({});
  const attributions = new Float32Array(windowLength * attributionWidth);
  for (let column = 0; column < 20; column++) attributions[9 * attributionWidth + column] = (column + 1) / 10;
  attributions[4 * attributionWidth + 19] = -3;
  attributions[5 * attributionWidth + 19] = -2;
  const features = filled([4, 'Flow IAT Min', 1234]);
  const explanation = explainWindow({
    context,
    attack: 'port_scan',
    features,
    attributions,
    normal: undefined,
    bootId,
  });
  expect(() => Explanation.parse(explanation)).not.toThrow();
  expect(explanation.top_features).toHaveLength(10);
  expect(new Set(explanation.top_features.map(({ feature }) => feature)).size).toBe(10);
  const [first] = explanation.top_features;
  expect(first).toMatchObject({
    feature: 'Flow IAT Min',
    value: 1234,
    unit: 'us',
    flow_index: 4,
    direction: 'unknown',
  });
  expect(first?.normal).toBeNull();
  // Of flow 9 it raised the score by 2, of the others it lowered it by 5; the first nineteen did 19.
  expect(first?.importance).toBeCloseTo(-3 / (19 + 3), 5);
  expect(explanation.normal_of).toBe('none');
});

test('the flows that carried the score are named, strongest first, and the shares of all sum to 1', () => {
  const context = contextOf({
    flows: [{}, { srcIp: '203.0.113.7', dstPort: 22 }, { srcIp: '2001:db8::7', dstIp: '2001:db8::1', dstPort: 80 }],
  });
  const attributions = moved(
    [7, 'SYN Flag Count', -1],
    [8, 'Flow Age', 1],
    [9, 'SYN Flag Count', 1],
    [9, 'Peer Known', 1],
  );
  const { flow_importance, flows } = explainWindow({
    context,
    attack: 'port_scan',
    features: filled(),
    attributions,
    normal: undefined,
    bootId,
  });
  expect(flow_importance).toEqual([-0.25, 0.25, 0.5]);
  expect(flows).toEqual([
    { flow_index: 2, flow_id: `${bootId}.2`, key: 'tcp [2001:db8::7]:40002 > [2001:db8::1]:80', share: 0.5 },
    { flow_index: 1, flow_id: `${bootId}.1`, key: 'tcp 203.0.113.7:40001 > 192.168.1.20:22', share: 0.25 },
  ]);
});

test('a value is told against the normal of its own device, once that is known', () => {
  const context = contextOf({});
  const features = filled([9, 'Packet Length Mean', 0], [9, 'Flow IAT Mean', 40], [9, 'SYN Flag Count', 1]);
  const attributions = moved([9, 'Packet Length Mean', 1], [9, 'Flow IAT Mean', 2], [9, 'SYN Flag Count', 3]);
  const normal = normalsOf(context).of(context.device.address);
  const explanation = explainWindow({ context, attack: 'port_scan', features, attributions, normal, bootId });
  const directions = Object.fromEntries(explanation.top_features.map((one) => [one.feature, one.direction]));
  expect(directions).toEqual({ 'SYN Flag Count': 'above', 'Flow IAT Mean': 'below', 'Packet Length Mean': 'below' });
  expect(explanation.top_features[1]?.normal).toBeCloseTo(30_000, -1);
  expect(explanation.normal_of).toBe('device');
  expect(new DeviceNormals().of(context.device.address)).toBeUndefined();
});

test('where a device is not known yet, the typical flow of the bundle stands in', () => {
  const context = contextOf({});
  const typical = Array.from({ length: featureCount }, () => 10);
  const normal = new DeviceNormals().of(context.device.address, typical);
  const features = filled([9, 'SYN Flag Count', 100], [9, 'Flow IAT Mean', 12], [9, 'Packet Length Mean', 0]);
  const attributions = moved([9, 'SYN Flag Count', 3], [9, 'Flow IAT Mean', 2], [9, 'Packet Length Mean', 1]);
  const explanation = explainWindow({ context, attack: 'port_scan', features, attributions, normal, bootId });
  expect(explanation.top_features.map(({ direction }) => direction)).toEqual(['above', 'usual', 'below']);
  expect(explanation.normal_of).toBe('bundle');
});

test('numbers of the context come among the reasons with their own values and units', () => {
  const context = contextOf({ flows: Array.from({ length: 3 }, () => newcomer) });
  const attributions = moved(
    [7, 'Peer Known', 1],
    [8, 'Peer Known', 2],
    [9, 'Peer Known', 1],
    [9, 'Recent Flows of Peer', 3],
    [9, 'Flow Age', 2],
    [9, 'SYN Flag Count', 1],
  );
  const { top_features } = explainWindow({
    context,
    attack: 'port_scan',
    features: filled(),
    attributions,
    normal: undefined,
    bootId,
  });
  const told = { normal: null, direction: 'unknown' };
  expect(top_features).toEqual([
    { feature: 'Peer Known', value: 12, unit: 's', normal: 900, direction: 'below', importance: 0.4, flow_index: 1 },
    { ...told, feature: 'Recent Flows of Peer', value: 87.2, unit: 'count', importance: 0.3, flow_index: 2 },
    { ...told, feature: 'Flow Age', value: 0.001, unit: 's', importance: 0.2, flow_index: 2 },
    { ...told, feature: 'SYN Flag Count', value: 0, unit: 'count', importance: 0.1, flow_index: 2 },
  ]);
});
