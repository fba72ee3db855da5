/** Scored windows for tests, from what a person would say of them. */
import { newId, type PredictionId } from '@picket/shared/contract/identifiers';
import type { Explanation } from '@picket/shared/contract/prediction';
import { trafficClasses, type TrafficClass } from '@picket/shared/features/traffic-classes';
import type { ScoredWindow } from '../verdict/scored-window.ts';
import { addressHashOf, type DeviceBurst, type FlowBurst } from '../window/flow-burst.ts';
import type { WindowFlow } from '../window/window-flow.ts';
import { instantOf } from '../window/packet-time.ts';

export interface WindowSketch {
  /** Packet time in seconds after an arbitrary start. */
  readonly at: number;
  readonly says: TrafficClass;
  readonly score?: number;
  readonly device?: string;
  readonly mac?: string | null;
  readonly flows?: readonly Partial<WindowFlow>[];
  readonly countsAsEvidence?: boolean;
  readonly flowImportance?: readonly number[];
  /** Left out: the flows of the window and no more. */
  readonly burst?: Partial<DeviceBurst>;
}

export const sketchStartUs = 1_700_000_000_000_000;
const bootId = '019a0000-0000-7000-8000-0000000000aa';

/** Inbound from 203.0.113.9 to 192.168.1.20 where nothing else is said. */
export function scoredWindow(sketch: WindowSketch): ScoredWindow {
  const atUs = sketchStartUs + sketch.at * 1e6;
  const address = sketch.device ?? '192.168.1.20';
  const device = { address, mac: sketch.mac ?? null };
  const flows = (sketch.flows ?? Array.from({ length: 10 }, () => ({}))).map((flow, index): WindowFlow => ({
    flowNumber: index,
    reportNumber: 0,
    end: 'closed',
    startedAtUs: atUs - 1000,
    lastPacketAtUs: atUs,
    srcIp: '203.0.113.9',
    srcPort: 40_000 + index,
    dstIp: address,
    dstPort: 1 + index,
    protocol: 6,
    icmp: 0,
    direction: 'inbound',
    recentOfDevice: 1,
    isRelayed: false,
    srcMac: null,
    recentOfPeer: 1,
    deviceSinceUs: sketchStartUs,
    peerSinceUs: sketchStartUs,
    fwdPackets: 1,
    bwdPackets: 1,
    fwdBytes: 0,
    bwdBytes: 0,
    synPackets: 1,
    ackPackets: 1,
    ...flow,
  }));
  const isAttack = sketch.says !== 'benign';
  const score = sketch.score ?? (isAttack ? 0.97 : 0.02);
  const likeliest = isAttack ? sketch.says : 'other_attack';
  const explanation: Explanation | null =
    sketch.flowImportance === undefined
      ? null
      : { top_features: [], flow_importance: [...sketch.flowImportance], flows: [], normal_of: 'none', summary: '' };
  return {
    context: {
      device,
      atUs,
      flowsSeen: flows.length,
      freshFlows: 5,
      countsAsEvidence: sketch.countsAsEvidence ?? true,
      flows,
      passed: [],
      burst: { services: [], openers: [], pairs: [], ...sketch.burst },
      source: 'pcap',
    },
    prediction: {
      id: newId() as PredictionId,
      device,
      at: instantOf(atUs),
      score,
      label: score >= 0.5 ? 'attack' : 'benign',
      class: score >= 0.5 ? likeliest : 'benign',
      class_probabilities: trafficClasses.map((name) =>
        name === 'benign' ? 1 - score : name === likeliest ? score : 0,
      ),
      confidence: 2 * Math.abs(score - 0.5),
      threshold: 0.5,
      model_version: 'test-1',
      window_key: 'device',
      flows_seen: flows.length,
      flow_ids: flows.map((flow) => `${bootId}.${flow.flowNumber}`),
      inference_latency_ms: 1,
      source: 'pcap',
      explanation,
    },
  };
}

/** New flows of one source to one service of one host; `said`: what is otherwise. Beyond the ten flows of a window. */
export function burstSketch(said: Partial<FlowBurst> & { readonly from?: string; readonly to?: string }): FlowBurst {
  const { from = '203.0.113.9', to = '192.168.1.20', ...others } = said;
  return {
    flows: 100,
    sinceUs: sketchStartUs + 2e6,
    untilUs: sketchStartUs + 10e6,
    hasSources: false,
    hasTargets: false,
    hasServices: false,
    source: addressHashOf(from),
    target: addressHashOf(to),
    protocol: 6,
    dstPort: 22,
    direction: 'inbound',
    ...others,
  };
}
