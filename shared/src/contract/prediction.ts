/** What the model says of one window. */
import { z } from 'zod';
import { windowLength } from '../features/feature-schema.ts';
import { TrafficClass } from '../features/traffic-classes.ts';
import { DeviceRef, Instant, TrafficSource } from './address.ts';
import { FlowId } from './flow.ts';
import { PredictionId } from './identifiers.ts';

export const PredictionLabel = z.enum(['benign', 'attack']);

export const FeatureDirection = z
  .enum(['above', 'below', 'usual', 'unknown'])
  .describe('A value against what is normal: `usual` within the normal spread, `unknown` where no normal is known.');
export type FeatureDirection = z.infer<typeof FeatureDirection>;

/** One of the ten that moved the score most: a feature, or what is known of a flow beside its features. */
export const FeatureImportance = z
  .strictObject({
    feature: z
      .string()
      .describe(
        'Name in the CIC-IDS2017 tables; or `Flow Age`, `Recent Flows`, `Recent Flows of Peer` (of late, fading over half a minute, up to 100) or `Peer Known`.',
      ),
    value: z.number().describe("The feature's value in the flow that carried it."),
    unit: z
      .string()
      .max(20)
      .default('')
      .describe('`us`, `s`, `bytes`, `count`, `packets/s` …; empty: a number without one, or an older agent.'),
    normal: z
      .number()
      .nullable()
      .default(null)
      .describe(
        'The normal value that `direction` compares with, of `Peer Known` how long the device itself is known; null where none is known.',
      ),
    direction: FeatureDirection.default('unknown').describe('Above or below `normal`.'),
    importance: z
      .number()
      .min(-1)
      .max(1)
      .describe(
        'Signed share in the score, over all flows of the window; the absolute values of all that moved it sum to 1. Positive raises the score.',
      ),
    flow_index: z
      .int()
      .min(0)
      .max(windowLength - 1)
      .describe('Which flow of the window, 0 the oldest of those present.'),
  })
  .meta({ id: 'FeatureImportance' });
export type FeatureImportance = z.infer<typeof FeatureImportance>;

/** A flow that carried the score. */
export const FlowShare = z
  .strictObject({
    flow_index: z
      .int()
      .min(0)
      .max(windowLength - 1)
      .describe('Which flow of the window, 0 the oldest of those present.'),
    flow_id: FlowId,
    key: z.string().max(120).describe('The conversation as people write it: `tcp 192.0.2.9:40112 > 10.0.0.5:22`.'),
    share: z.number().min(0).max(1).describe('Its share in the score; see `flow_importance`.'),
  })
  .meta({ id: 'FlowShare' });
export type FlowShare = z.infer<typeof FlowShare>;

/** Integrated gradients of the attack score over the window and what is known of its flows. */
export const Explanation = z
  .strictObject({
    top_features: z
      .array(FeatureImportance)
      .max(10)
      .describe('The ten features that moved the score most, strongest first.'),
    flow_importance: z
      .array(z.number())
      .max(windowLength)
      .describe('Share of each present flow in the score, oldest first; the absolute values sum to 1.'),
    flows: z
      .array(FlowShare)
      .max(windowLength)
      .default([])
      .describe('The flows that raised the score, strongest first.'),
    normal_of: z
      .enum(['device', 'bundle', 'none'])
      .default('none')
      .describe('Where `normal` comes from: flows of this very device, or the typical flow of the training data.'),
    summary: z
      .string()
      .max(400)
      .default('')
      .describe('What happened, in one plain sentence; empty from an older agent.'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;

export const Prediction = z
  .strictObject({
    id: PredictionId,
    device: DeviceRef,
    at: Instant.describe('Packet time of the newest flow in the window.'),
    score: z.number().min(0).max(1).describe('P(attack), 0 to 1.'),
    label: PredictionLabel.describe('`attack` where score ≥ threshold.'),
    class: TrafficClass.describe('The likeliest attack class of an attack, else `benign`.'),
    class_probabilities: z
      .array(z.number())
      .length(TrafficClass.options.length)
      .describe('In the order of `trafficClasses`; sums to 1.'),
    confidence: z.number().min(0).max(1).describe('2·|score − 0.5|, as the first API had it.'),
    threshold: z.number().min(0).max(1).describe('In force when it was made.'),
    model_version: z.string().max(100).describe('Model bundle that scored it.'),
    window_key: z
      .enum(['device', 'peer'])
      .describe("Whose flows the window holds: the device's, or those with one peer."),
    flows_seen: z.int().min(1).max(windowLength).describe('How many of the ten slots held a flow.'),
    flow_ids: z.array(FlowId).min(1).max(windowLength).describe('Flows of the window, oldest first.'),
    inference_latency_ms: z.number().min(0).describe('Milliseconds.'),
    source: TrafficSource,
    explanation: Explanation.nullable().describe('Null where the agent did not explain it.'),
  })
  .meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof Prediction>;
