/** What an alert tells a person of the network's reasons. */
import { expect, test } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { Explanation } from '@picket/shared/contract/prediction';
import { contextFeatures } from '@picket/shared/features/context-features';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { attributionWidth } from '../detection/detector.ts';
import { scoredWindow, sketchStartUs, type WindowSketch } from '../testing/scored-windows.ts';
import { DeviceNormals } from '../window/device-normal.ts';
import type { WindowContext } from '../window/device-windows.ts';
import { explainWindow } from './explain-window.ts';

const bootId = newId() as BootId;

function contextOf(sketch: Partial<WindowSketch>): WindowContext {
  return scoredWindow({ at: 10, says: 'port_scan', ...sketch }).context;
}

/** 10 × 78 with these values: flow (0 the oldest slot), feature, value. */
function filled(...cells: readonly (readonly [number, string, number])[]): Float32Array {
  const values = new Float32Array(windowLength * featureCount);
  for (const [flow, feature, value] of cells) values[flow * featureCount + featureNames.indexOf(feature)] = value;
  return values;
}

/** 10 × 85 with these values, of features and numbers of the context. */
function moved(...cells: readonly (readonly [number, string, number])[]): Float32Array {
  const names = [...featureNames, ...contextFeatures.map(({ name }) => name)];
  const values = new Float32Array(windowLength * attributionWidth);
  for (const [flow, name, value] of cells) values[flow * attributionWidth + names.indexOf(name)] = value;
  return values;
}

/** Normals of a device that sends one reading of 48 bytes after the other. */
function normalsOf(context: WindowContext): DeviceNormals {
  const normals = new DeviceNormals();
  const reading = filled(
    ...Array.from({ length: windowLength }, (_, flow) => [flow, 'Packet Length Mean', 48] as const),
    ...Array.from({ length: windowLength }, (_, flow) => [flow, 'Flow IAT Mean', 30_000] as const),
  );
  for (let index = 0; index < 6; index++) normals.learn({ ...context, freshFlows: 5 }, reading);
  return normals;
}

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

function sentence(sketch: Partial<WindowSketch>, features = filled(), attributions = moved()): string {
  const context = contextOf(sketch);
  const { says = 'port_scan' } = sketch;
  return explainWindow({
    context,
    attack: says === 'benign' ? 'other_attack' : says,
    features,
    attributions,
    normal: normalsOf(context).of('192.168.1.20'),
    bootId,
  }).summary;
}

test('guesses of a password are told as what they are', () => {
  const burst = {
    flows: 430,
    sinceUs: sketchStartUs + 2e6,
    untilUs: sketchStartUs + 10e6,
    hasSources: true,
    hasTargets: false,
  };
  expect(
    sentence(
      {
        flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })),
        burst: { ...burst, service: { ...burst, hasSources: false, flows: 412, protocol: 6, dstPort: 22 } },
      },
      filled([9, 'SYN Flag Count', 2]),
      moved([9, 'SYN Flag Count', 3]),
    ),
  ).toBe(
    '412 new TCP connections to port 22 of 192.168.1.20 from 203.0.113.9 within 8 s, median answer 0 bytes; ' +
      'unusual: packets that open a connection 2 (normally 0)',
  );
});

test('what is told of an attack on one kind of service is not what its attacker did elsewhere', () => {
  const flows = [...Array.from({ length: 8 }, () => ({ dstPort: 80 })), { dstPort: 22 }, { dstPort: 22 }];
  const told = sentence({ flows, says: 'brute_force_ssh' }, filled(), moved([3, 'SYN Flag Count', 3]));
  expect(told).toMatch(/^2 new TCP connections to port 22 of/);
});

test('a scan, a spoofed flood, a sweep and an upload each have their sentence', () => {
  const burst = {
    flows: 980,
    sinceUs: sketchStartUs + 9.5e6,
    untilUs: sketchStartUs + 10e6,
    hasSources: true,
    hasTargets: false,
  };
  const all = { ...burst, service: { ...burst, flows: 1, protocol: 6, dstPort: 4 } };
  expect(sentence({ burst: all })).toBe(
    '980 new TCP connections to many different ports of 192.168.1.20 from 203.0.113.9 and others within 500 ms, median answer 0 bytes',
  );
  const forged = Array.from({ length: 10 }, (_, index) => ({
    srcIp: `198.51.100.${index}`,
    protocol: 17,
    dstPort: 53,
    bwdPackets: 0,
  }));
  expect(sentence({ flows: forged })).toBe(
    '10 new UDP conversations to port 53 of 192.168.1.20 from 10 sources within 1 ms, none answered',
  );
  const sweep = Array.from({ length: 10 }, (_, index) => ({ dstIp: `192.168.1.${index}`, protocol: 1, dstPort: 0 }));
  expect(sentence({ flows: sweep })).toBe(
    '10 new ICMP exchanges of 10 hosts from 203.0.113.9 within 1 ms, median answer 0 bytes',
  );
  const upload = {
    srcIp: '192.168.1.20',
    dstIp: '203.0.113.9',
    dstPort: 443,
    fwdPackets: 2000,
    fwdBytes: 3_400_000,
    bwdBytes: 4000,
    startedAtUs: sketchStartUs,
  };
  expect(sentence({ flows: [upload] })).toBe(
    'one TCP connection to port 443 of 203.0.113.9 from 192.168.1.20: 2,000 packets with 3.4 MB within 10 s, answer 4,000 bytes',
  );
});

test('only the flows that carried the score are told of', () => {
  const everyday = { srcIp: '192.168.1.20', dstIp: '192.168.1.1', protocol: 17, dstPort: 53 };
  const attack = { dstPort: 23 };
  const flows = [everyday, everyday, attack, attack, attack];
  const attributions = moved(
    [5, 'SYN Flag Count', -1],
    [7, 'SYN Flag Count', 2],
    [8, 'SYN Flag Count', 2],
    [9, 'SYN Flag Count', 2],
  );
  expect(sentence({ flows }, filled(), attributions)).toMatch(/^3 new TCP connections to port 23 of 192.168.1.20 /);
});

/** A device that is known for a while, and whom it met 12 s ago: 87 conversations with them, 91 in all. */
const newcomer = {
  deviceSinceUs: sketchStartUs - 890e6,
  peerSinceUs: sketchStartUs - 2e6,
  recentOfDevice: 91.4,
  recentOfPeer: 87.2,
};

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

test('who came a moment ago and how often is said where it raised the score', () => {
  const flows = Array.from({ length: 10 }, () => ({ ...newcomer, dstPort: 22 }));
  const asks = (...cells: readonly (readonly [number, string, number])[]): string | undefined =>
    sentence({ flows }, filled([9, 'SYN Flag Count', 2]), moved(...cells)).split('; ')[1];
  expect(asks([9, 'Peer Known', 3], [9, 'SYN Flag Count', 2], [9, 'Recent Flows of Peer', 1])).toBe(
    'unusual: 203.0.113.9 known for 12 s (the device for 15 min), packets that open a connection 2 (normally 0)',
  );
  expect(asks([9, 'Recent Flows of Peer', 3], [8, 'Recent Flows', 2])).toBe(
    'unusual: 87 conversations with 203.0.113.9 lately, 91 conversations of the device lately',
  );
  // It spoke against the alert, or was next to nothing of what spoke for it.
  expect(asks([9, 'Peer Known', -3], [9, 'SYN Flag Count', 2])).toBe(
    'unusual: packets that open a connection 2 (normally 0)',
  );
  expect(asks([9, 'Flow Age', 49], [9, 'Peer Known', 1])).toBeUndefined();
});

test('a newcomer is who came late to a device that is known for two minutes, and ten minutes later is none', () => {
  const knownFor = (peerSeconds: number, deviceSeconds: number) => {
    const [deviceSinceUs, peerSinceUs] = [deviceSeconds, peerSeconds].map((ago) => sketchStartUs + (10 - ago) * 1e6);
    const context = contextOf({ flows: [{ ...newcomer, deviceSinceUs: deviceSinceUs!, peerSinceUs: peerSinceUs! }] });
    const attributions = moved([9, 'Peer Known', 3]);
    const window = {
      context,
      attack: 'port_scan',
      features: filled(),
      attributions,
      normal: undefined,
      bootId,
    } as const;
    const [{ direction, normal } = {}] = explainWindow(window).top_features;
    return { direction, normal };
  };
  // Everybody is new to a gateway that began a minute ago.
  expect(knownFor(8.6, 23)).toEqual({ direction: 'unknown', normal: null });
  expect(knownFor(8.6, 119)).toEqual({ direction: 'unknown', normal: null });
  expect(knownFor(8.6, 120)).toEqual({ direction: 'below', normal: 120 });
  expect(knownFor(70, 120)).toEqual({ direction: 'usual', normal: 120 });
  expect(knownFor(599, 864_000)).toEqual({ direction: 'below', normal: 864_000 });
  expect(knownFor(600, 864_000)).toEqual({ direction: 'usual', normal: 864_000 });
});

test('nobody is told of another’s deeds', () => {
  const visitor = { ...newcomer, srcIp: '203.0.113.21', dstPort: 80 };
  const flows = [visitor, ...Array.from({ length: 5 }, () => ({ ...newcomer, dstPort: 22 }))];
  const [ofVisitor, ofOffender] = [4, 9];
  const told = (flow: number, name: string): string =>
    sentence({ flows, says: 'brute_force_ssh' }, filled([flow, 'SYN Flag Count', 2]), moved([flow, name, 3]));
  expect(told(ofOffender, 'Peer Known')).toContain('203.0.113.9 known for 12 s');
  expect(told(ofVisitor, 'Recent Flows')).toContain('91 conversations of the device lately');
  expect(told(ofOffender, 'SYN Flag Count')).toContain('unusual: packets that open a connection 2');
  expect(told(ofOffender, 'Recent Flows of Peer')).toContain('87 conversations with 203.0.113.9 lately');
  for (const name of ['Peer Known', 'Recent Flows of Peer', 'SYN Flag Count', 'Packet Length Mean'])
    expect(told(ofVisitor, name)).toMatch(/ from 203\.0\.113\.9 within 1 ms, median answer 0 bytes$/);
});

test('where nothing is unusual the feature that raised the score most is told', () => {
  const flows = Array.from({ length: 10 }, () => ({ dstPort: 80 }));
  const why = (...cells: readonly (readonly [number, string, number])[]): string | undefined =>
    sentence({ flows }, filled([9, 'Packet Length Mean', 52], [9, 'Destination Port', 80]), moved(...cells)).split(
      '; ',
    )[1];
  const told: readonly (readonly [number, string, number])[] = [
    [9, 'Flow Age', 60],
    [9, 'Destination Port', 20],
    [9, 'Peer Known', 10],
    [9, 'Packet Length Std', -5],
  ];
  expect(why(...told, [9, 'Packet Length Mean', 5], [9, 'Min Packet Length', 4])).toBe(
    'most weight: mean packet 52 bytes',
  );
  expect(why(...told, [9, 'Packet Length Mean', 2])).toBeUndefined();
});

test('nobody is a newcomer to a device that is not known for longer, and three conversations are not many', () => {
  const flows = [{ ...newcomer, deviceSinceUs: sketchStartUs - 3e6, recentOfPeer: 3 }];
  const attributions = moved([9, 'Peer Known', 3], [9, 'Recent Flows of Peer', 3]);
  expect(sentence({ flows }, filled(), attributions)).not.toContain('unusual');
  const many = [{ ...newcomer, recentOfPeer: 100 }];
  expect(sentence({ flows: many }, filled(), attributions)).toContain(
    '100 or more conversations with 203.0.113.9 lately',
  );
});

test('of a conversation that the device opened the peer is whom it went to', () => {
  const flows = [
    { ...newcomer, srcIp: '192.168.1.20', dstIp: '198.51.100.7', dstPort: 443, direction: 'outbound' as const },
  ];
  expect(sentence({ flows, says: 'botnet_beacon' }, filled(), moved([9, 'Peer Known', 3]))).toContain(
    'unusual: 198.51.100.7 known for 12 s (the device for 15 min)',
  );
});
