/** What the model says of one window. */
import { z } from 'zod';
import { windowLength } from '../features/feature-schema.ts';
import { TrafficClass } from '../features/traffic-classes.ts';
import { DeviceRef, Instant, TrafficSource } from './address.ts';
import { FlowId } from './flow.ts';
import { PredictionId } from './identifiers.ts';

export const PredictionLabel = z.enum(['benign', 'attack']);

/** A value against what is normal: `usual` within the normal spread, `unknown` where no normal is known. */
export const FeatureDirection = z.enum(['above', 'below', 'usual', 'unknown']);
export type FeatureDirection = z.infer<typeof FeatureDirection>;

/** One of the ten features that moved the score most. */
export const FeatureImportance = z.strictObject({
  /** Name in the CIC-IDS2017 tables. */
  feature: z.string(),
  /** The feature's value in the flow that carried it. */
  value: z.number(),
  /** `us`, `bytes`, `count`, `packets/s` …; empty: a number without one, or an older agent. */
  unit: z.string().max(20).default(''),
  /** The normal value that `direction` compares with; null where none is known. */
  normal: z.number().nullable().default(null),
  direction: FeatureDirection.default('unknown'),
  /** Signed share of the attribution; the absolute values over all features and flows sum to 1. Positive raises the score. */
  importance: z.number().min(-1).max(1),
  /** Which flow of the window, 0 the oldest of those present. */
  flow_index: z
    .int()
    .min(0)
    .max(windowLength - 1),
});
export type FeatureImportance = z.infer<typeof FeatureImportance>;

/** A flow that carried the score. */
export const FlowShare = z.strictObject({
  /** Which flow of the window, 0 the oldest of those present. */
  flow_index: z
    .int()
    .min(0)
    .max(windowLength - 1),
  flow_id: FlowId,
  /** The conversation as people write it: `tcp 192.0.2.9:40112 > 10.0.0.5:22`. */
  key: z.string().max(120),
  /** Its share in the score; see `flow_importance`. */
  share: z.number().min(0).max(1),
});
export type FlowShare = z.infer<typeof FlowShare>;

/** Integrated gradients of the attack score over the window. */
export const Explanation = z.strictObject({
  top_features: z.array(FeatureImportance).max(10),
  /** Share of each present flow in the score, oldest first; the absolute values sum to 1. */
  flow_importance: z.array(z.number()).max(windowLength),
  /** The flows that raised the score, strongest first. */
  flows: z.array(FlowShare).max(windowLength).default([]),
  /** Where `normal` comes from: flows of this very device, or the typical flow of the training data. */
  normal_of: z.enum(['device', 'bundle', 'none']).default('none'),
  /** What happened, in one plain sentence; empty from an older agent. */
  summary: z.string().max(400).default(''),
});
export type Explanation = z.infer<typeof Explanation>;

export const Prediction = z.strictObject({
  id: PredictionId,
  device: DeviceRef,
  /** Packet time of the newest flow in the window. */
  at: Instant,
  /** P(attack), 0 to 1. */
  score: z.number().min(0).max(1),
  /** `attack` where score ≥ threshold. */
  label: PredictionLabel,
  /** The likeliest attack class of an attack, else `benign`. */
  class: TrafficClass,
  /** In the order of `trafficClasses`; sums to 1. */
  class_probabilities: z.array(z.number()).length(TrafficClass.options.length),
  /** 2·|score − 0.5|, as the first API had it. */
  confidence: z.number().min(0).max(1),
  threshold: z.number().min(0).max(1),
  model_version: z.string().max(100),
  window_key: z.enum(['device', 'peer']),
  /** How many of the ten slots held a flow. */
  flows_seen: z.int().min(1).max(windowLength),
  /** Oldest first. */
  flow_ids: z.array(FlowId).min(1).max(windowLength),
  inference_latency_ms: z.number().min(0),
  source: TrafficSource,
  explanation: Explanation.nullable(),
});
export type Prediction = z.infer<typeof Prediction>;
