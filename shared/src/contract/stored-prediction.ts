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
    timestamp: Instant.describe('Packet time of the newest flow in the window.'),
    recorded_at: Instant.describe("By the gateway's clock."),
    feature_importance: z
      .array(FeatureImportance)
      .nullable()
      .describe('The ten features that moved the score most; null where the gateway did not explain.'),
  })
  .strip()
  .meta({ id: 'StoredPrediction' });
export type StoredPrediction = z.infer<typeof StoredPrediction>;

export const PredictionExplanation = z
  .object({
    prediction_id: StoredPrediction.shape.id,
    explanation: Explanation.nullable().describe(
      'Null where the gateway did not explain this one: it explains attacks.',
    ),
    flows: z
      .array(
        z.object({
          flow_id: FlowId,
          importance: z.number().nullable().describe('Signed share in the score; null where it was not explained.'),
          flow: StoredFlow.nullable(),
        }),
      )
      .describe('Flows of the window, oldest first; `flow` is null for one that was not reported.'),
  })
  .meta({ id: 'PredictionExplanation' });
export type PredictionExplanation = z.infer<typeof PredictionExplanation>;

export const PredictionStats = z
  .object({
    total: z.number().describe('As the gateways counted.'),
    attacks: z.number(),
    benign: z.number(),
    attack_percent: z.number().nullable().describe('Percent, 0 to 100; null without predictions.'),
    benign_percent: z.number().nullable().describe('Percent, 0 to 100; null without predictions.'),
  })
  .meta({ id: 'PredictionStats' });
export type PredictionStats = z.infer<typeof PredictionStats>;
