/**
 * Why an alert was raised, in words: what of the offender's flows, and of when they came, the network found unusual. The end of
 * the one sentence that an alert tells.
 */
import type { FeatureImportance } from '@picket/shared/contract/prediction';
import { contextColumn, contextFeatures } from '@picket/shared/features/context-features';
import { windowLength } from '@picket/shared/features/feature-schema';
import { aspectOf, numberInWords, valueInWords, wordsOf } from '@picket/shared/features/feature-words';
import { mostRecent } from '@picket/shared/features/recent-flows';
import type { WindowContext } from '../window/window-context.ts';
import type { WindowFlow } from '../window/window-flow.ts';

const maxUnusual = 2;
/** What moved the score less is no reason worth a word: share of all that moved it. */
const leastTold = 0.03;
/** As many conversations a window shows by itself. */
const manyLately = windowLength;
/** Of a conversation shorter than this a rate says nothing to a person. */
const leastForRateUs = 1_000_000;
const surroundings: ReadonlySet<string> = new Set(contextFeatures.map(({ name }) => name));
const ofDevice = contextFeatures[contextColumn.recentOfDevice]!.name;
const ofPeer = contextFeatures[contextColumn.recentOfPeer]!.name;
const peerKnown = contextFeatures[contextColumn.peerKnown]!.name;

/**
 * What raised the score and stands out, in words, each told once; where nothing does, what the features that raised it most are
 * about. When flows came and to what port is told ahead of it. Only of the offender's flows, as all of the sentence: it tells nobody's name
 * with another's deeds.
 */
export function whyOf(
  context: WindowContext,
  isHis: (flow: WindowFlow) => boolean,
  reasons: readonly FeatureImportance[],
): string {
  const raising = reasons.filter(
    ({ feature, importance, flow_index }) =>
      importance >= leastTold && (feature === ofDevice || isHis(context.flows[flow_index]!)),
  );
  const told = new Map<string, string>();
  for (const reason of raising) {
    const name = wordsOf(reason.feature);
    const words = surroundings.has(reason.feature)
      ? ofSurroundings(context, reason)
      : ofFeature(name, reason, context.flows[reason.flow_index]);
    if (words !== undefined && !told.has(name)) told.set(name, words);
    if (told.size === maxUnusual) break;
  }
  if (told.size > 0) return `; unusual: ${[...told.values()].join(', ')}`;
  return aspectsOf(raising, reasons);
}

/** Where a network looked that found nothing unusual: no value by itself tells why. Nothing where it speaks against. */
function aspectsOf(raising: readonly FeatureImportance[], reasons: readonly FeatureImportance[]): string {
  if (reasons.reduce((sum, { importance }) => sum + importance, 0) <= 0) return '';
  const shares = new Map<string, number>();
  for (const { feature, importance } of raising) {
    const aspect = aspectOf(feature);
    shares.set(aspect, (shares.get(aspect) ?? 0) + importance);
  }
  const told = [...shares].sort(([, a], [, b]) => b - a).slice(0, maxUnusual);
  if (told.length === 0) return '';
  const words = told.map(([aspect, share]) => `${aspect} (${Math.round(100 * share)} %)`);
  return `; no value stands out, most weight: ${words.join(', ')}`;
}

/** Undefined for what is usual, and for the rate of a moment: two packets within 40 µs are no 50,000 a second to anybody. */
function ofFeature(
  name: string,
  { value, unit, normal, direction }: FeatureImportance,
  flow: WindowFlow | undefined,
): string | undefined {
  if (normal === null || (direction !== 'above' && direction !== 'below')) return undefined;
  if (unit.endsWith('/s') && (flow === undefined || flow.lastPacketAtUs - flow.startedAtUs < leastForRateUs))
    return undefined;
  return `${name} ${valueInWords(value, unit)} (normally ${valueInWords(normal, unit)})`;
}

/** Undefined for what of the context is as usual. */
function ofSurroundings(
  { device, flows }: WindowContext,
  { feature, value, unit, normal, direction, flow_index }: FeatureImportance,
): string | undefined {
  const flow = flows[flow_index];
  const peer = flow?.srcIp === device.address ? flow.dstIp : flow?.srcIp;
  const lately = value >= mostRecent ? `${mostRecent} or more` : numberInWords(Math.round(value));
  switch (feature) {
    case peerKnown:
      if (normal === null || direction !== 'below') return undefined;
      return `${peer} known for ${valueInWords(value, unit)} (the device for ${valueInWords(normal, unit)})`;
    case ofPeer:
      return value < manyLately ? undefined : `${lately} conversations with ${peer} lately`;
    case ofDevice:
      return value < manyLately ? undefined : `${lately} conversations of the device lately`;
    default:
      return undefined;
  }
}
