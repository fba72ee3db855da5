/** What a dry run found, added up per restriction, and which of it people have called wrong since. */
import type { AlertId, DecisionId, GatewayId, PredictionId } from '@picket/shared/contract/identifiers';
import type { DryRunRestriction } from '@picket/shared/contract/rule-dry-run';
import type { Measure } from '@picket/shared/policy/measures';
import { quietUs } from '@picket/shared/policy/alert-times';
import { restrictionKey } from '@picket/shared/policy/restriction';
import type { FalseAlert, PastWindow, ReleasedDecision } from './dry-run-repository.ts';

/** Different restrictions that are told apart; a rule that makes more would not be switched on. */
const maxRestrictions = 20_000;
const maxNamed = 10;
const maxSamples = 5;
/** A window this soon after the last of an alert is of the same run. */
const quietMs = quietUs / 1000;

export class DryRunTally {
  readonly #counts = new Map<string, DryRunRestriction>();
  readonly #falseAlerts: ReadonlyMap<string, readonly FalseAlert[]>;
  readonly #released: ReadonlyMap<string, readonly ReleasedDecision[]>;
  #times = 0;
  #falseTimes = 0;
  #refusedTimes = 0;
  #left = 0;

  constructor(falseAlerts: readonly FalseAlert[], released: readonly ReleasedDecision[]) {
    this.#falseAlerts = Map.groupBy(falseAlerts, (alert) => `${alert.device_id} ${alert.class}`);
    this.#released = Map.groupBy(released, (decision) => `${decision.scope} ${decision.value}`);
  }

  /** What gateways would have refused. */
  get refusedTimes(): number {
    return this.#refusedTimes;
  }

  get times(): number {
    return this.#times;
  }

  get falseTimes(): number {
    return this.#falseTimes;
  }

  /** Restrictions beyond the bound: counted, not listed. */
  get left(): number {
    return this.#left;
  }

  noteRefused(): void {
    this.#refusedTimes += 1;
  }

  add(measure: Measure, window: PastWindow): void {
    const { restriction, proof, durationSeconds } = measure;
    const alerts = this.#alertsOf(window, proof.attack);
    const released = this.#released.get(`${restriction.scope} ${restriction.value}`) ?? [];
    const isFalse = alerts.length > 0 || released.length > 0;
    this.#times += 1;
    if (isFalse) this.#falseTimes += 1;
    const key = restrictionKey(restriction);
    const entry = this.#counts.get(key) ?? this.#begin(key, measure, window);
    if (entry === undefined) return;
    entry.times += 1;
    if (isFalse) entry.false_times += 1;
    entry.last_at = window.at;
    entry.longest_seconds = Math.max(entry.longest_seconds, durationSeconds);
    note(entry.classes, proof.attack, maxNamed);
    note(entry.gateways, window.gateway_id as GatewayId, maxNamed);
    note(entry.devices, window.address ?? window.device_id, maxNamed);
    note(entry.prediction_ids, window.id as PredictionId, maxSamples);
    for (const { id } of alerts) note(entry.false_positive_alerts, id as AlertId, maxNamed);
    for (const { id } of released) note(entry.released_decisions, id as DecisionId, maxNamed);
  }

  /** Most often first; equals by what they are. */
  entries(): readonly { readonly key: readonly [times: string, key: string]; readonly item: DryRunRestriction }[] {
    return [...this.#counts]
      .map(([key, entry]) => ({ key: [String(entry.times).padStart(12, '0'), key] as const, item: entry }))
      .sort((a, b) => compare(b.key[0], a.key[0]) || compare(a.key[1], b.key[1]));
  }

  #begin(key: string, { restriction }: Measure, { at }: PastWindow): DryRunRestriction | undefined {
    if (this.#counts.size >= maxRestrictions) {
      this.#left += 1;
      return undefined;
    }
    const entry: DryRunRestriction = {
      ...restriction,
      times: 0,
      first_at: at,
      last_at: at,
      longest_seconds: 0,
      classes: [],
      gateways: [],
      devices: [],
      prediction_ids: [],
      false_times: 0,
      false_positive_alerts: [],
      released_decisions: [],
    };
    this.#counts.set(key, entry);
    return entry;
  }

  #alertsOf({ device_id: device, at }: PastWindow, attack: string): readonly FalseAlert[] {
    const atMs = Date.parse(at);
    return (this.#falseAlerts.get(`${device} ${attack}`) ?? []).filter(
      (alert) => atMs >= Date.parse(alert.first_seen_at) && atMs <= Date.parse(alert.last_seen_at) + quietMs,
    );
  }
}

function note<T>(list: T[], value: T, most: number): void {
  if (list.length < most && !list.includes(value)) list.push(value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
