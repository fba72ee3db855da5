/** A bundle of before the context was given reasons: its explain graph has no output `context_attributions` (docs/decisions/0021). */
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, expect, test } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { contextFeatures } from '@picket/shared/features/context-features';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { attributionWidth } from '../detection/detector.ts';
import { attribute } from '../detection/explain-prediction.ts';
import { shippedBundleFolder } from '../detection/shipped-bundle.ts';
import { contextOf, filled, normalsOf } from '../testing/explained-windows.ts';
import { explainWindow } from './explain-window.ts';

const session = await InferenceSession.create(join(shippedBundleFolder, 'explain.onnx'));
afterAll(() => session.release());
/** The same graph as it was then: nobody is given that output. */
const older = {
  inputNames: session.inputNames,
  run: (feeds: InferenceSession.FeedsType) => session.run(feeds, ['attributions', 'logits']),
} as InferenceSession;

const features = filled(
  ...Array.from({ length: windowLength }, (_, flow) => [flow, 'SYN Flag Count', 2] as const),
  ...Array.from({ length: windowLength }, (_, flow) => [flow, 'Fwd Packets/s', 900] as const),
);
const window = {
  features: features.slice(),
  flowsSeen: windowLength,
  flowContext: new Float32Array(flowContextSize).fill(1),
};
/** Without and with the context's columns. */
const [before, now] = [await attribute(older, window), await attribute(session, window)];

test('nothing is attributed to the context, and to the features what they were always attributed', () => {
  const inContext = ({ attributions }: typeof now): Float32Array =>
    attributions.filter((_, index) => index % attributionWidth >= featureCount);
  const inFeatures = ({ attributions }: typeof now): Float32Array =>
    attributions.filter((_, index) => index % attributionWidth < featureCount);
  expect(inContext(now).some((value) => value !== 0)).toBe(true);
  expect(inContext(before).every((value) => value === 0)).toBe(true);
  expect(inFeatures(before)).toEqual(inFeatures(now));
});

test('an alert has ten reasons among the features, and its sentence tells of nothing else', () => {
  const context = contextOf({ flows: Array.from({ length: windowLength }, () => ({ dstPort: 22, recentOfPeer: 90 })) });
  const { top_features, summary } = explainWindow({
    context,
    attack: 'brute_force_ssh',
    features,
    attributions: before.attributions,
    normal: normalsOf(context).of('192.168.1.20'),
    bootId: newId() as BootId,
  });
  const ofContext = new Set(contextFeatures.map(({ name }) => name));
  expect(top_features).toHaveLength(10);
  expect(top_features.filter(({ feature }) => ofContext.has(feature))).toEqual([]);
  expect(top_features.reduce((sum, { importance }) => sum + Math.abs(importance), 0)).toBeLessThanOrEqual(1.000_001);
  expect(summary).toMatch(/^\d+ new TCP connections to port 22 of 192\.168\.1\.20 from 203\.0\.113\.9/);
  expect(summary).not.toMatch(/lately|known for|how new/);
});
