/**
 * The alerts of a replay as people read them: each once, as it opens, with what was seen and what would have been done; and
 * at the end what each came to. Nothing is said twice. Bounded.
 */
import type { Alert } from '@picket/shared/contract/alert';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import { quietUs } from '@picket/shared/policy/alert-times';
import { BoundedMap } from '@picket/shared/policy/bounded-map';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { durationInWords } from '@picket/shared/features/feature-words';
import { reasonLines } from './alert-reasons.ts';

export interface ReplayAlertsOptions {
  readonly print: (text: string) => void;
  /** Of the device with this MAC, for a quarantine names that alone. */
  readonly addressesOf: (mac: string) => readonly string[];
  /** Print the reasons and flows of each as well. */
  readonly explains: boolean;
}

type Told = Pick<
  Alert,
  'id' | 'class' | 'severity' | 'device' | 'peer' | 'message' | 'first_seen_at' | 'last_seen_at'
> & {
  readonly summary: string;
  /** The alert of the same attack that was told before, for its other end is a device as well. */
  readonly twinOf: string | null;
  /** A decision was made for it, whatever became of it; and why, as it was printed last. */
  isDecided: boolean;
  why: string;
};

const maxAlerts = 4096;
const maxListed = 20;
const maxAddresses = 3;
const indent = ' '.repeat(10);
const severities = ['critical', 'high', 'medium', 'low'];

export class ReplayAlerts {
  readonly #options: ReplayAlertsOptions;
  readonly #alerts = new BoundedMap<string, Told>(maxAlerts);

  constructor(options: ReplayAlertsOptions) {
    this.#options = options;
  }

  /** Any revision. */
  noteAlert(alert: Alert): void {
    const known = this.#alerts.get(alert.id);
    const twin = known === undefined && alert.revision === 0 ? this.#twinOf(alert) : undefined;
    const { id, severity, device, peer, message, first_seen_at, last_seen_at, explanation } = alert;
    this.#alerts.set(id, {
      id,
      class: alert.class,
      severity,
      device,
      peer,
      message,
      first_seen_at,
      last_seen_at,
      summary: explanation?.summary ?? '',
      twinOf: known?.twinOf ?? twin?.id ?? null,
      isDecided: known?.isDecided === true || alert.decision_ids.length > 0,
      why: known?.why ?? '',
    });
    if (alert.revision > 0) return;
    const lines =
      twin === undefined
        ? openingLines(alert, this.#options.explains)
        : [`${last_seen_at}  the same at its other end, ${device.address}: an alert of its own`];
    this.#options.print(`${lines.join(`\n${indent}`)}\n`);
  }

  noteDecision({ decision, state, detail }: DecisionEvent): void {
    const alert = decision.alert_id === null ? undefined : this.#alerts.get(decision.alert_id);
    const isUndone = state === 'refused' || state === 'failed';
    const why = isUndone ? (detail ?? decision.reason) : whyDecided(decision, alert);
    const isNews = alert === undefined || why !== alert.why;
    if (alert !== undefined) Object.assign(alert, { why, isDecided: true });
    const { action, scope, value } = decision;
    const text = `${state}: ${action} ${scope} ${value}${this.#whom(decision)} ${lasting(decision)}${isNews ? ` (${why})` : ''}`;
    this.#options.print(`${indent}${text}\n`);
  }

  /** What each alert came to in the end; empty where there is none. */
  overview(): string {
    const all = [...this.#alerts.entries()].map(([, alert]) => alert);
    if (all.length === 0) return '';
    const twins = new Set(all.flatMap(({ twinOf }) => twinOf ?? []));
    const attacks = all
      .filter(({ twinOf }) => twinOf === null)
      .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
    const listed = attacks
      .slice(0, maxListed)
      .sort((a, b) => a.first_seen_at.localeCompare(b.first_seen_at))
      .map(
        (alert) => `  ${spanOf(alert)}  ${alert.severity.toUpperCase()}  ${alert.message}${remarksOn(alert, twins)}\n`,
      );
    const rest = attacks.length > maxListed ? `  and ${attacks.length - maxListed} more, no graver than these\n` : '';
    return `\nin the end:\n${listed.join('')}${rest}`;
  }

  /** It runs, or ran until shortly before. */
  #twinOf(alert: Alert): Told | undefined {
    const beganMs = Date.parse(alert.first_seen_at);
    for (const [, other] of this.#alerts.entries()) {
      const isTwin =
        other.class === alert.class &&
        other.peer === alert.device.address &&
        other.device.address === alert.peer &&
        other.twinOf === null &&
        Math.abs(beganMs - Date.parse(other.last_seen_at)) <= quietUs / 1000;
      if (isTwin) return other;
    }
    return undefined;
  }

  /** Whose MAC it is. */
  #whom({ scope, value }: Decision): string {
    if (scope !== 'device') return '';
    const addresses = this.#options.addressesOf(value);
    const more = addresses.length > maxAddresses ? ` and ${addresses.length - maxAddresses} more` : '';
    return addresses.length === 0 ? '' : ` (${addresses.slice(0, maxAddresses).join(', ')}${more})`;
  }
}

function openingLines(alert: Alert, explains: boolean): readonly string[] {
  const { explanation, message, severity, last_seen_at } = alert;
  const lines = [`${last_seen_at}  ${severity.toUpperCase()}  ${message}`];
  if (explanation !== null) {
    lines.push(`seen: ${explanation.summary}${whoseNormal(explanation)}`);
    if (explains) lines.push(...reasonLines(explanation));
  }
  return lines;
}

/** What is normal is said of the device that sends it, where enough of it was seen. */
function whoseNormal({ summary, normal_of }: NonNullable<Alert['explanation']>): string {
  const isOfOthers = normal_of === 'bundle' && summary.includes('(normally ');
  return isOfOthers ? ' (normal is what other devices do: too little was seen of this one)' : '';
}

/** The rule and its evidence; what the alert says already is left out. */
function whyDecided({ reason, rule_id }: Decision, alert: Told | undefined): string {
  const rule = defaultRules.find(({ id }) => id === rule_id)?.name;
  const said = alert === undefined ? '' : `${alert.message} ${alert.summary}`;
  const parts = reason.split('; ').filter((part) => part !== '' && !said.includes(part));
  return [...(rule === undefined ? [] : [`rule "${rule}"`]), ...parts].join('; ');
}

function lasting({ created_at, expires_at }: Decision): string {
  return `for ${durationInWords((Date.parse(expires_at) - Date.parse(created_at)) / 1000)}`;
}

/** `2026-11-21 07:55:46 to 07:55:54`, UTC. */
function spanOf({ first_seen_at, last_seen_at }: Told): string {
  const [day, from] = [first_seen_at.slice(0, 10), first_seen_at.slice(11, 19)];
  const [lastDay, to] = [last_seen_at.slice(0, 10), last_seen_at.slice(11, 19)];
  if (day !== lastDay) return `${day} ${from} to ${lastDay} ${to}`;
  return from === to ? `${day} ${from}` : `${day} ${from} to ${to}`;
}

function remarksOn({ id, isDecided }: Told, twins: ReadonlySet<string>): string {
  return `${isDecided ? '' : ' Nothing is restricted for it.'}${twins.has(id) ? ' Both ends are devices: two alerts.' : ''}`;
}
