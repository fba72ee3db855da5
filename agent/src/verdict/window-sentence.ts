/**
 * What a window shows, in one sentence that needs no knowledge of the network: how many conversations of what kind, from
 * whom to whom, in what time, with what answer, and what is not as usual. `412 new TCP connections to port 22 of
 * 192.168.1.20 from 203.0.113.9 within 8 s, median answer 0 bytes; unusual: largest payload 0 bytes (normally 240 bytes)`.
 */
import type { FeatureImportance } from '@picket/shared/contract/prediction';
import { bytesInWords, numberInWords, withinInWords } from '@picket/shared/features/feature-words';
import type { Offender } from '@picket/shared/policy/offender';
import { servicePortFit } from '@picket/shared/policy/service-ports';
import { asOpened } from '@picket/shared/policy/unseen-opening';
import type { WindowContext } from '../window/window-context.ts';
import { addressHashOf, type FlowBurst } from '../window/flow-burst.ts';
import type { WindowFlow } from '../window/window-flow.ts';
import type { AttackClass } from './scored-window.ts';
import { whyOf } from './window-reasons.ts';

/** Flows with at least this share of the strongest flow's stand for the window. */
const carryingShare = 0.25;
/** So few conversations are told by what went through them, more by how many they are. */
const fewFlows = 2;
/** Fewer are told one by one. */
const manyServices = 3;
const maxLength = 400;
const kinds: Readonly<Record<number, readonly [string, string]>> = {
  6: ['TCP connection', 'TCP connections'],
  17: ['UDP conversation', 'UDP conversations'],
  1: ['ICMP exchange', 'ICMP exchanges'],
  58: ['ICMPv6 exchange', 'ICMPv6 exchanges'],
};

/**
 * `offender`: whose flows are told of, those that may be such an attack. `shares`: of each flow in the score, see `Explanation.flow_importance`. The context
 * holds at least one flow.
 */
export function windowSentence(
  window: WindowContext,
  { attack, offender }: { readonly attack: AttackClass; readonly offender: Offender },
  shares: readonly number[],
  features: readonly FeatureImportance[],
): string {
  const address = window.device.address;
  const context = { ...window, flows: asOpened(window.flows, attack, address, window.flows) };
  const isHis = (flow: WindowFlow): boolean => isOf(offender, flow, address) && fits(attack, flow);
  const flows = carriers(context, isHis, shares);
  const burst = burstOf(context, flows);
  const subject = `${count(flows, burst.flows)}${where(flows)}${whose(flows, burst)}`;
  const seconds = Math.max(0, burst.untilUs - burst.sinceUs) / 1e6;
  const within = withinInWords(seconds);
  const story =
    burst.flows <= fewFlows
      ? `: ${volume(flows)}${within}, ${answer(flows, burst.flows)}`
      : `${within}, ${answer(flows, burst.flows)}`;
  return `${subject}${story}${whyOf(context, isHis, features)}`.slice(0, maxLength);
}

/** The offender's flows that carried the score; where none did, all of his. */
function carriers(
  context: WindowContext,
  isHis: (flow: WindowFlow) => boolean,
  shares: readonly number[],
): readonly WindowFlow[] {
  const his = context.flows
    .map((flow, index) => ({ flow, share: shares[index] ?? 0 }))
    .filter(({ flow }) => isHis(flow));
  const candidates = his.length > 0 ? his : context.flows.map((flow, index) => ({ flow, share: shares[index] ?? 0 }));
  const highest = Math.max(0, ...candidates.map(({ share }) => share));
  const carrying = candidates.filter(({ share }) => highest > 0 && share >= carryingShare * highest);
  return (carrying.length > 0 ? carrying : candidates).map(({ flow }) => flow);
}

function isOf(offender: Offender, { srcIp, dstIp }: WindowFlow, device: string): boolean {
  switch (offender.kind) {
    case 'peers':
      return offender.peers.includes(srcIp);
    case 'destination':
      return dstIp === offender.peer;
    case 'device':
      return srcIp === device;
    case 'target':
      return dstIp === device;
  }
}

const fits = (attack: AttackClass, { dstPort }: WindowFlow): boolean => servicePortFit(attack, dstPort) !== 0;

type Told = Pick<FlowBurst, 'flows' | 'sinceUs' | 'untilUs' | 'hasSources' | 'hasTargets'>;

/** The flows themselves, or the burst they are the last of: one in which nobody else took part, and no other service did. */
function burstOf({ burst }: WindowContext, flows: readonly WindowFlow[]): Told {
  const own = {
    flows: flows.length,
    sinceUs: Math.min(...flows.map((flow) => flow.startedAtUs)),
    untilUs: Math.max(...flows.map((flow) => flow.lastPacketAtUs)),
    hasSources: distinct(flows, ({ srcIp }) => srcIp) > 1,
    hasTargets: distinct(flows, ({ dstIp }) => dstIp) > 1,
  };
  const first = flows[0]!;
  const services = distinct(flows, ({ protocol, dstPort, direction }) => `${protocol} ${dstPort} ${direction}`);
  const source = addressHashOf(first.srcIp);
  const target = addressHashOf(first.dstIp);
  const isAsTold = (known: FlowBurst): boolean =>
    (own.hasSources || (known.source === source && !known.hasSources)) &&
    (own.hasTargets || (known.target === target && !known.hasTargets)) &&
    (services >= manyServices ||
      (services === 1 && !known.hasServices && known.protocol === first.protocol && known.dstPort === first.dstPort)) &&
    known.direction === first.direction;
  const known = own.hasSources
    ? burst.services
    : [...burst.services, ...burst.openers, ...(own.hasTargets ? [] : burst.pairs)];
  return known.filter(isAsTold).reduce<Told>((most, next) => (next.flows > most.flows ? next : most), own);
}

function count(flows: readonly WindowFlow[], total: number): string {
  const protocols = new Set(flows.map((flow) => flow.protocol));
  const [protocol] = protocols;
  const [one, many] = (protocols.size === 1 ? kinds[protocol ?? -1] : undefined) ?? ['conversation', 'conversations'];
  return total === 1 ? `one ${one}` : `${numberInWords(total)} new ${many}`;
}

function where(flows: readonly WindowFlow[]): string {
  const ports = [
    ...new Set(flows.filter(({ protocol }) => protocol === 6 || protocol === 17).map((flow) => flow.dstPort)),
  ];
  if (ports.length === 0) return '';
  if (ports.length === 1) return ` to port ${ports[0]}`;
  if (ports.length === 2) return ` to ports ${ports[0]} and ${ports[1]}`;
  return ' to many different ports';
}

function whose(flows: readonly WindowFlow[], burst: Told): string {
  const targets = distinct(flows, ({ dstIp }) => dstIp);
  const sources = distinct(flows, ({ srcIp }) => srcIp);
  const [first] = flows;
  const otherTargets = burst.hasTargets && burst.flows > flows.length ? ' and others' : '';
  const otherSources = burst.hasSources && burst.flows > flows.length ? ' and others' : '';
  const target = targets === 1 ? ` of ${first?.dstIp}${otherTargets}` : ` of ${targets} hosts${otherTargets}`;
  const source = sources === 1 ? ` from ${first?.srcIp}${otherSources}` : ` from ${sources} sources${otherSources}`;
  return target + source;
}

function volume(flows: readonly WindowFlow[]): string {
  const packets = sum(flows, (flow) => flow.fwdPackets);
  return `${numberInWords(packets)} packet${packets === 1 ? '' : 's'} with ${bytesInWords(sum(flows, (flow) => flow.fwdBytes))}`;
}

function answer(flows: readonly WindowFlow[], total: number): string {
  if (flows.every((flow) => flow.bwdPackets === 0)) return total === 1 ? 'no answer' : 'none answered';
  const sizes = flows.map((flow) => flow.bwdBytes).sort((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  return `${total === 1 ? 'answer' : 'median answer'} ${bytesInWords(median)}`;
}

function distinct(flows: readonly WindowFlow[], of: (flow: WindowFlow) => string | number): number {
  return new Set(flows.map(of)).size;
}

function sum(flows: readonly WindowFlow[], of: (flow: WindowFlow) => number): number {
  return flows.reduce((total, flow) => total + of(flow), 0);
}
