/**
 * Attributions as people can use them: the ten features and numbers of the context that moved the score most, each against what
 * is normal for the device, the flows that carried it, and one plain sentence. Pure, and made only for what becomes an alert.
 */
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Explanation, FeatureDirection, FeatureImportance, FlowShare } from '@picket/shared/contract/prediction';
import { contextColumn, contextFeatures } from '@picket/shared/features/context-features';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { unitOf } from '@picket/shared/features/feature-words';
import { flowContextWidth, unknownFlowContext } from '@picket/shared/features/flow-context';
import { findOffender } from '@picket/shared/policy/offending-peer';
import { attributionWidth } from '../detection/detector.ts';
import type { FeatureNormal } from '../window/device-normal.ts';
import type { WindowContext } from '../window/window-context.ts';
import { writeContextOf } from '../window/flow-context.ts';
import { flowIdOf, type WindowFlow } from '../window/window-flow.ts';
import type { AttackClass } from './scored-window.ts';
import { windowSentence } from './window-sentence.ts';

export interface ExplainedWindow {
  readonly context: WindowContext;
  /** What it is taken for. */
  readonly attack: AttackClass;
  /** 10 × 78 raw features, present flows in the last slots. */
  readonly features: Float32Array;
  /** 10 × 85, see `Detector.explain`: how much each moved the logit of the score. */
  readonly attributions: Float32Array;
  readonly normal: FeatureNormal | undefined;
  readonly bootId: BootId;
}

const topCount = 10;
/** From this many spreads away a value is not usual. */
const unusual = 2;
/** A newcomer is known for less than the device's time divided by this. */
const newcomerRatio = 2;
/**
 * Seconds that the device has to be known before anybody can be a newcomer to it: until then everybody is. As late as the
 * network can see a peer come (models/src/network/surroundings.ts).
 */
const deviceKnownLeast = 120;
/** Seconds after which nobody is a newcomer: the network tells nobody apart who is known for longer. */
const newcomerMost = 600;

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

interface Moved {
  readonly column: number;
  /** Of all flows. */
  readonly sum: number;
  /** Slot of the flow that did most of it. */
  readonly slot: number;
}

/** One line per feature or number of the context: what it did in all flows together, and the flow that stands for it. */
function topFeatures({ context, features, attributions, normal }: ExplainedWindow): FeatureImportance[] {
  const flowContext = unknownFlowContext(1);
  writeContextOf(context, flowContext, 0);
  const moved = Array.from({ length: attributionWidth }, (_, column) =>
    movedBy(column, attributions, windowLength - context.flowsSeen),
  ).filter(({ sum }) => sum !== 0);
  const total = moved.reduce((all, { sum }) => all + Math.abs(sum), 0);
  return moved
    .sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum))
    .slice(0, topCount)
    .map(({ column, sum, slot }) => ({
      ...(column < featureCount
        ? ofFeature(column, features[slot * featureCount + column]!, normal)
        : ofContext(
            column - featureCount,
            flowContext.subarray(slot * flowContextWidth, (slot + 1) * flowContextWidth),
          )),
      importance: sum / total,
      flow_index: slot - (windowLength - context.flowsSeen),
    }));
}

function movedBy(column: number, attributions: Float32Array, firstSlot: number): Moved {
  let sum = 0;
  for (let slot = firstSlot; slot < windowLength; slot++) sum += attributions[slot * attributionWidth + column]!;
  const towards = Math.sign(sum);
  let strongest = firstSlot;
  for (let slot = firstSlot; slot < windowLength; slot++) {
    const own = attributions[slot * attributionWidth + column]! * towards;
    if (own > attributions[strongest * attributionWidth + column]! * towards) strongest = slot;
  }
  return { column, sum, slot: strongest };
}

type Told = Pick<FeatureImportance, 'feature' | 'value' | 'unit' | 'normal' | 'direction'>;

function ofFeature(column: number, value: number, normal: FeatureNormal | undefined): Told {
  const feature = featureNames[column]!;
  return {
    feature,
    value,
    unit: unitOf(feature),
    normal: normal === undefined ? null : rounded(Math.expm1(normal.mean[column]!)),
    // A port is a name: none is higher than another.
    direction: unitOf(feature) === 'port' ? 'unknown' : directionOf(value, column, normal),
  };
}

/** Of the context only one number has something to compare with, once the device is known for a while: how long that is. */
function ofContext(column: number, ofFlow: Float32Array): Told {
  const { name, unit } = contextFeatures[column]!;
  const value = rounded(ofFlow[column]!);
  const longest = ofFlow[contextColumn.deviceKnown]!;
  if (column !== contextColumn.peerKnown || longest < deviceKnownLeast)
    return { feature: name, value, unit, normal: null, direction: 'unknown' };
  return {
    feature: name,
    value,
    unit,
    normal: rounded(longest),
    direction: value < newcomerMost && value * newcomerRatio < longest ? 'below' : 'usual',
  };
}

function directionOf(value: number, column: number, normal: FeatureNormal | undefined): FeatureDirection {
  if (normal === undefined) return 'unknown';
  const away = (Math.log1p(Math.max(0, value)) - normal.mean[column]!) / normal.spread[column]!;
  if (away > unusual) return 'above';
  return away < -unusual ? 'below' : 'usual';
}

/** Of each present flow, signed; the absolute values sum to 1. */
function flowShares({ context, attributions }: ExplainedWindow): number[] {
  const first = windowLength - context.flowsSeen;
  const sums = Array.from({ length: context.flowsSeen }, (_, flow) => {
    const row = attributions.subarray((first + flow) * attributionWidth, (first + flow + 1) * attributionWidth);
    return row.reduce((sum, value) => sum + value, 0);
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
