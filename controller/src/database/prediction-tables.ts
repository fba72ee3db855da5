/** What the model said of windows: migration 0003. */
import type { Flow } from '@picket/shared/contract/flow';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';

export interface PredictionTables {
  predictions: PredictionRow;
}

export interface PredictionRow {
  id: string;
  gateway_id: string;
  device_id: string;
  /** Packet time of the newest flow in the window. */
  at: string;
  score: number;
  label: Prediction['label'];
  class: TrafficClass;
  /** JSON array, in the order of the classes. */
  class_probabilities: string;
  confidence: number;
  threshold: number;
  model_version: string;
  window_key: Prediction['window_key'];
  flows_seen: number;
  /** JSON array. */
  flow_ids: string;
  inference_latency_ms: number;
  source: Flow['source'];
  /** JSON, or null where the agent did not explain. */
  explanation: string | null;
  recorded_at: string;
}
