/** Events as an agent sends them, for tests and benchmarks: complete, valid, numbered. */
import { newId } from '@picket/shared/contract/identifiers';
import type { AlertId, DecisionId, PredictionId } from '@picket/shared/contract/identifiers';
import type { Alert } from '@picket/shared/contract/alert';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import type { EventBody, MinuteCounters } from '@picket/shared/contract/envelope';
import type { Flow } from '@picket/shared/contract/flow';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { EventChannel } from '@picket/shared/contract/topics';
import { featureCount } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { RawBatch } from '../ingest/event-ingest.ts';

export const sampleBoot = '019a1111-2222-7333-8444-555566667777';
export const sampleEpoch = '019a1111-2222-7333-8444-00000000000e';

/** An instant `seconds` after a fixed one. */
export function sampleInstant(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 21, 8) + seconds * 1000).toISOString();
}

export function sampleFeatures(seed: number): string {
  const values = Float32Array.from({ length: featureCount }, (_, index) => seed + index / 4);
  return Buffer.from(values.buffer).toString('base64');
}

/** `number` names the flow. */
export function sampleFlow(number: number, changes: Partial<Flow> = {}): Flow {
  return {
    flow_id: `${sampleBoot}.${number}`,
    report_number: 0,
    end: 'closed',
    device: { address: '192.168.1.20', mac: '02:42:ac:11:00:02' },
    direction: 'inbound',
    started_at: sampleInstant(number),
    last_packet_at: sampleInstant(number + 1),
    src_ip: '203.0.113.9',
    src_port: 40_000 + (number % 20_000),
    dst_ip: '192.168.1.20',
    dst_port: 22,
    protocol: 6,
    fwd_packets: 5,
    bwd_packets: 4,
    fwd_bytes: 512,
    bwd_bytes: 300,
    source: 'live',
    features: sampleFeatures(number % 1000),
    ...changes,
  };
}

export function samplePrediction(number: number, changes: Partial<Prediction> = {}): Prediction {
  const score = changes.score ?? 0.97;
  return {
    id: newId() as PredictionId,
    device: { address: '192.168.1.20', mac: '02:42:ac:11:00:02' },
    at: sampleInstant(number),
    score,
    label: score >= 0.5 ? 'attack' : 'benign',
    class: score >= 0.5 ? 'brute_force_ssh' : 'benign',
    class_probabilities: trafficClasses.map((name) =>
      name === 'benign' ? 1 - score : score / (trafficClasses.length - 1),
    ),
    confidence: 2 * Math.abs(score - 0.5),
    threshold: 0.5,
    model_version: 'cnn-lstm-1',
    window_key: 'device',
    flows_seen: 3,
    flow_ids: [number, number + 1, number + 2].map((flow) => `${sampleBoot}.${flow}`),
    inference_latency_ms: 0.2,
    source: 'live',
    explanation: null,
    ...changes,
  };
}

export function sampleAlert(changes: Partial<Alert> = {}): Alert {
  return {
    id: newId() as AlertId,
    revision: 0,
    alert_type: 'threshold_breach',
    class: 'brute_force_ssh',
    severity: 'critical',
    score: 0.97,
    is_plain: false,
    returns: 0,
    device: { address: '192.168.1.20', mac: '02:42:ac:11:00:02' },
    peer: '203.0.113.9',
    first_seen_at: sampleInstant(0),
    last_seen_at: sampleInstant(3),
    count: 2,
    message: 'SSH password guessing from 203.0.113.9 against 192.168.1.20',
    explanation: {
      top_features: [
        {
          feature: 'Flow Duration',
          value: 12,
          unit: 'us',
          normal: 30_000,
          direction: 'below',
          importance: 0.4,
          flow_index: 2,
        },
      ],
      flow_importance: [0.1, 0.2, 0.7],
      flows: [
        {
          flow_index: 2,
          flow_id: `${sampleBoot}.3`,
          key: 'tcp 203.0.113.9:40003 > 192.168.1.20:22',
          share: 0.7,
        },
      ],
      normal_of: 'device',
      summary: '412 new TCP connections to port 22 of 192.168.1.20 from 203.0.113.9 within 8 s, median answer 0 bytes',
    },
    evidence: [],
    prediction_id: newId() as PredictionId,
    rule_id: null,
    decision_ids: [],
    action_taken: 'none',
    simulated: false,
    source: 'live',
    model_version: 'cnn-lstm-1',
    ...changes,
  };
}

export function sampleDecision(changes: Partial<Decision> = {}): Decision {
  return {
    id: newId() as DecisionId,
    origin: 'model',
    action: 'block',
    scope: 'ip',
    value: '203.0.113.9',
    direction: 'both',
    created_at: sampleInstant(4),
    expires_at: '2099-01-01T00:00:00.000Z',
    scenario: 'brute_force_ssh',
    mode: 'simulate',
    reason: '2 of 4 windows',
    who: 'rule Stop password guessing',
    alert_id: null,
    rule_id: null,
    ...changes,
  };
}

export function decided(decision: Decision, state: DecisionEvent['state']): EventBody {
  return { kind: 'decision', body: { decision, state, at: sampleInstant(5), detail: null } };
}

export function sampleCounters(changes: Partial<MinuteCounters> = {}): MinuteCounters {
  return {
    device: { address: '192.168.1.20', mac: '02:42:ac:11:00:02' },
    minute: sampleInstant(0),
    flows: 10,
    packets: 100,
    bytes: 10_000,
    predictions: 20,
    attacks: 1,
    max_score: 0.97,
    source: 'live',
    ...changes,
  };
}

/** Events of one channel, numbered from `fromSeq`; recorded a second apart. */
export function sampleBatch(
  channel: EventChannel,
  bodies: readonly EventBody[],
  fromSeq = 1,
  epoch: string = sampleEpoch,
): RawBatch {
  return {
    epoch,
    channel,
    events: bodies.map((event, index) => ({
      seq: fromSeq + index,
      at: sampleInstant(fromSeq + index),
      event,
    })),
  };
}
