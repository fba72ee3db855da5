/** Predictions as the API shows them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { FlowId } from './flow.ts';
import { DeviceId, GatewayId } from './identifiers.ts';
import { Explanation, FeatureImportance, Prediction } from './prediction.ts';
import { StoredFlow } from './stored-flow.ts';

export const StoredPrediction = Prediction.omit({ device: true, at: true, explanation: true })
  .extend({
    gateway_id: GatewayId,
    device_id: DeviceId,
    /** Packet time of the newest flow in the window. */
    timestamp: Instant,
    /** By the gateway's clock. */
    recorded_at: Instant,
    /** The ten features that moved the score most; null where the gateway did not explain. */
    feature_importance: z.array(FeatureImportance).nullable(),
  })
  .strip();
export type StoredPrediction = z.infer<typeof StoredPrediction>;

export const PredictionExplanation = z.object({
  prediction_id: StoredPrediction.shape.id,
  /** Null where the gateway did not explain this one: it explains attacks. */
  explanation: Explanation.nullable(),
  /** Flows of the window, oldest first; `flow` is null for one that was not reported. */
  flows: z.array(z.object({ flow_id: FlowId, importance: z.number().nullable(), flow: StoredFlow.nullable() })),
});
export type PredictionExplanation = z.infer<typeof PredictionExplanation>;

export const PredictionStats = z.object({
  total: z.number(),
  attacks: z.number(),
  benign: z.number(),
  /** Percent, 0 to 100; null without predictions. */
  attack_percent: z.number().nullable(),
  benign_percent: z.number().nullable(),
});
export type PredictionStats = z.infer<typeof PredictionStats>;
