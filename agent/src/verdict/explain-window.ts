/**
 * Attributions as people can use them: the ten features that moved the score most, each against what is normal for the
 * device, the flows that carried it, and one plain sentence. Pure, and made only for what becomes an alert.
 */
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Explanation, FeatureDirection, FeatureImportance, FlowShare } from '@picket/shared/contract/prediction';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { unitOf } from '@picket/shared/features/feature-words';
import { findOffender } from '@picket/shared/policy/offending-peer';
import type { FeatureNormal } from '../window/device-normal.ts';
import type { WindowContext } from '../window/device-windows.ts';
import { flowIdOf, type WindowFlow } from '../window/window-flow.ts';
import type { AttackClass } from './scored-window.ts';
import { windowSentence } from './window-sentence.ts';

export interface ExplainedWindow {
  readonly context: WindowContext;
  /** What it is taken for. */
  readonly attack: AttackClass;
  /** 10 × 78 raw features, present flows in the last slots. */
  readonly features: Float32Array;
  /** Likewise: how much each moved the logit of the score. */
  readonly attributions: Float32Array;
  readonly normal: FeatureNormal | undefined;
  readonly bootId: BootId;
}

const topCount = 10;
/** From this many spreads away a value is not usual. */
const unusual = 2;

export function explainWindow(window: ExplainedWindow): Explanation {
  const { context, attack, normal } = window;
  const features = topFeatures(window);
  const shares = flowShares(window);
  const explanation: Explanation = {
    top_features: features,
    flow_importance: shares,
    flows: carryingFlows(window, shares),
    normal_of: normal?.of ?? 'none',
    summary: '',
  };
  const offender = findOffender({ ...context, flowImportance: explanation.flow_importance }, attack);
  return { ...explanation, summary: windowSentence(context, { attack, offender }, shares, features) };
}

/** One line per feature: where several flows share it, the flow that carried most stands for it. */
function topFeatures({ context, features, attributions, normal }: ExplainedWindow): FeatureImportance[] {
  const firstFlow = windowLength - context.flowsSeen;
  const start = firstFlow * featureCount;
  let total = 0;
  const strongest = new Map<number, number>();
  for (let index = start; index < windowLength * featureCount; index++) {
    const size = Math.abs(attributions[index]!);
    if (size === 0) continue;
    total += size;
    const column = index % featureCount;
    const before = strongest.get(column);
    if (before === undefined || size > Math.abs(attributions[before]!)) strongest.set(column, index);
  }
  return [...strongest]
    .sort(([, a], [, b]) => Math.abs(attributions[b]!) - Math.abs(attributions[a]!))
    .slice(0, topCount)
    .map(([column, index]) => {
      const feature = featureNames[column]!;
      const value = features[index]!;
      return {
        feature,
        value,
        unit: unitOf(feature),
        normal: normal === undefined ? null : rounded(Math.expm1(normal.mean[column]!)),
        // A port is a name: none is higher than another.
        direction: unitOf(feature) === 'port' ? 'unknown' : directionOf(value, column, normal),
        importance: attributions[index]! / total,
        flow_index: Math.floor(index / featureCount) - firstFlow,
      };
    });
}

function directionOf(value: number, column: number, normal: FeatureNormal | undefined): FeatureDirection {
  if (normal === undefined) return 'unknown';
  const away = (Math.log1p(Math.max(0, value)) - normal.mean[column]!) / normal.spread[column]!;
  if (away > unusual) return 'above';
  return away < -unusual ? 'below' : 'usual';
}

/** Of each present flow, signed; the absolute values sum to 1. */
function flowShares({ context, attributions }: ExplainedWindow): number[] {
  const start = (windowLength - context.flowsSeen) * featureCount;
  const sums = Array.from({ length: context.flowsSeen }, (_, flow) => {
    let sum = 0;
    for (let column = 0; column < featureCount; column++) sum += attributions[start + flow * featureCount + column]!;
    return sum;
  });
  const total = sums.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
  return sums.map((value) => value / total);
}

function carryingFlows({ context, bootId }: ExplainedWindow, shares: readonly number[]): FlowShare[] {
  return context.flows
    .map((flow, index) => ({
      flow_index: index,
      flow_id: flowIdOf(flow.flowNumber, bootId),
      key: keyOf(flow),
      share: shares[index] ?? 0,
    }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };

/** The conversation as people write it. */
function keyOf({ protocol, srcIp, srcPort, dstIp, dstPort }: WindowFlow): string {
  const name = protocolNames[protocol] ?? `ip/${protocol}`;
  const end = (address: string, port: number): string =>
    protocol === 6 || protocol === 17 ? `${address.includes(':') ? `[${address}]` : address}:${port}` : address;
  return `${name} ${end(srcIp, srcPort)} > ${end(dstIp, dstPort)}`;
}

/** Six digits: a mean has no more to say. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
