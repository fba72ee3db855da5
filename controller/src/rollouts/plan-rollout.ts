/** What a rollout does next: whom it judges, whom it releases, when it halts, is undone or is done. Pure. */
import type { RolloutGatewayState } from '@picket/shared/contract/stored-rollout';
import type { PolicyReported, ReportedStep } from '@picket/shared/contract/twin';
import { isSettled } from '../twin/settled-policy.ts';

/** An enrolled gateway. */
export interface FleetGateway {
  readonly id: string;
  readonly online: boolean;
  /** The owner wants it among the first. */
  readonly isCanary: boolean;
  /** It confirms what it applied; older agents only verify. */
  readonly confirms: boolean;
  readonly reported: PolicyReported | undefined;
}

/** A gateway that was given the rules. */
export interface Released {
  readonly gatewayId: string;
  readonly wave: number;
  readonly state: RolloutGatewayState;
  /** Of the policy that carries the rules; null until it is signed. */
  readonly version: number | null;
  readonly releasedAtMs: number;
}

export interface Verdict {
  readonly gatewayId: string;
  readonly state: RolloutGatewayState;
  readonly detail: string | null;
}

export type NextStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'release'; readonly wave: number; readonly gatewayIds: readonly string[] }
  | { readonly kind: 'halt' | 'roll_back'; readonly detail: string }
  | { readonly kind: 'complete' };

/** A gateway that is there confirms within a minute; one that says nothing for this long may be lost. */
export const silenceMs = 5 * 60_000;
const undone: ReadonlySet<ReportedStep> = new Set(['rolled_back', 'failed', 'refused']);

/** What became of gateways that were given the rules, as far as it is known now and was not before. */
export function judge(released: readonly Released[], fleet: readonly FleetGateway[], nowMs: number): Verdict[] {
  return released.flatMap((row): Verdict[] => {
    if (row.state !== 'released' || row.version === null) return [];
    const { gatewayId } = row;
    const gateway = fleet.find(({ id }) => id === gatewayId);
    if (gateway === undefined) return []; // revoked meanwhile: it holds nobody up
    const { reported } = gateway;
    if (reported !== undefined && reported.version >= row.version) {
      const { step, detail } = reported;
      if (isSettled(step, gateway.confirms)) return [{ gatewayId, state: 'confirmed', detail: null }];
      if (undone.has(step)) return [{ gatewayId, state: step === 'rolled_back' ? 'rolled_back' : 'failed', detail }];
    }
    if (nowMs - row.releasedAtMs < silenceMs) return [];
    return [{ gatewayId, state: 'silent', detail: `no answer within ${silenceMs / 60_000} minutes` }];
  });
}

/** Give what `judge` said already worked in. */
export function nextStep(all: readonly Released[], fleet: readonly FleetGateway[]): NextStep {
  const enrolled = new Set(fleet.map(({ id }) => id));
  const released = all.filter(({ gatewayId }) => enrolled.has(gatewayId));
  const bad = released.find(({ state }) => state === 'rolled_back' || state === 'failed');
  if (bad !== undefined) return { kind: 'roll_back', detail: `${bad.gatewayId} put it back` };
  const silent = released.find(({ state }) => state === 'silent');
  if (silent !== undefined)
    return { kind: 'halt', detail: `${silent.gatewayId} has said nothing since it got the rules; resume or abort` };
  if (released.some(({ state }) => state === 'released')) return { kind: 'wait' };
  const given = new Set(released.map(({ gatewayId }) => gatewayId));
  const left = fleet.filter(({ id }) => !given.has(id));
  const there = left.filter(({ online }) => online);
  // nobody has proved it yet, and nobody is there to: whoever comes first is the canary
  if (there.length === 0) return released.length === 0 && left.length > 0 ? { kind: 'wait' } : { kind: 'complete' };
  const wave = released.length === 0 ? 0 : Math.max(...released.map((row) => row.wave)) + 1;
  return { kind: 'release', wave, gatewayIds: pick(wave, there, fleet.length).map(({ id }) => id) };
}

/** Wave 0: the canaries that are there, or one in twenty; wave 1: a quarter of the fleet; then everybody. */
function pick(wave: number, there: readonly FleetGateway[], fleetSize: number): readonly FleetGateway[] {
  if (wave >= 2) return there;
  if (wave === 1) return there.slice(0, Math.max(1, Math.ceil(fleetSize / 4)));
  const canaries = there.filter(({ isCanary }) => isCanary);
  return canaries.length > 0 ? canaries : there.slice(0, Math.max(1, Math.ceil(fleetSize / 20)));
}
