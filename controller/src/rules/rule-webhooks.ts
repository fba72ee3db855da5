/**
 * Rules with the action `webhook`: every alert that such a rule speaks of is posted to its address as it is new, once it
 * grows over the rule's threshold while it is open, and where its attack opens it again after it was resolved. What merely
 * goes on is not, nor what a person opens again: they know of it. Nobody waits for it, and no rule for the address of
 * another: the posts of each queue up to a bound, are tried a few times, and what was given up is counted and logged.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DeviceType } from '@picket/shared/contract/device';
import type { LiveEvent } from '@picket/shared/contract/live-event';
import { StoredAlert } from '@picket/shared/contract/stored-alert';
import type { StoredRule } from '@picket/shared/contract/stored-rule';
import { namesClass } from '@picket/shared/policy/evidence';
import { reachesThreshold } from '@picket/shared/policy/severity';
import type { LiveFeed } from '../live/live-feed.ts';
import { postJson } from './webhook-post.ts';

export interface RuleWebhookParts {
  readonly feed: LiveFeed;
  readonly rules: () => Promise<readonly StoredRule[]>;
  /** Undefined for a device that is gone. */
  readonly deviceType: (deviceId: string) => Promise<DeviceType | undefined>;
  readonly log: Pick<Logger, 'warn'>;
  /** Waits between attempts, ms. */
  readonly retryAfterMs?: readonly number[];
}

type Sureness = Parameters<typeof reachesThreshold>[0];

/** Posts of one rule, and of all: there are at most 200 rules. */
const maxWaitingEach = 100;
const maxWaiting = 2000;
/** Alerts that no rule was asked about yet. One reading of the rules is for all that came until then: several batches. */
const maxArrived = 5000;
const posted: ReadonlySet<LiveEvent['type']> = new Set(['alert_created', 'alert_reopened']);

export class RuleWebhooks implements AsyncDisposable {
  readonly #parts: RuleWebhookParts;
  readonly #stopped = new AbortController();
  #arrived: LiveEvent[] = [];
  readonly #unsubscribe: () => void;
  #sifting: Promise<void> = Promise.resolve();
  /** Posts that wait, by the id of their rule; what is not waited for is not here. */
  readonly #lanes = new Map<string, { waiting: number; work: Promise<void> }>();
  #waiting = 0;
  #delivered = 0;
  #failed = 0;

  private constructor(parts: RuleWebhookParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.feed.subscribe('alerts', (_text, event) => this.#take(event));
  }

  static start(parts: RuleWebhookParts): RuleWebhooks {
    return new RuleWebhooks(parts);
  }

  /** Posts that were answered with 2xx, and posts that were given up, since the start. */
  get counters(): { readonly delivered: number; readonly failed: number } {
    return { delivered: this.#delivered, failed: this.#failed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#stopped.abort();
    await this.#sifting;
    await Promise.all([...this.#lanes.values()].map(({ work }) => work));
  }

  #take(event: LiveEvent): 'taken' {
    if (!posted.has(event.type) && beforeOf(event) === undefined) return 'taken';
    if (this.#arrived.length >= maxArrived) {
      this.#giveUp('too many alerts at once');
      return 'taken';
    }
    this.#arrived.push(event);
    this.#sifting = this.#sifting.then(() => this.#sift());
    return 'taken';
  }

  /** Only what a rule posts waits its turn behind an address that may be slow or dead. */
  async #sift(): Promise<void> {
    const events = this.#arrived;
    if (events.length === 0 || this.#stopped.signal.aborted) return;
    this.#arrived = [];
    const rules = this.#parts.rules();
    for (const event of events) {
      try {
        const wanted = await this.#rulesFor(await rules, StoredAlert.parse(event.data), beforeOf(event));
        for (const { id } of wanted) this.#enqueue(id, event);
      } catch (error) {
        this.#giveUp((error as Error).message);
      }
    }
  }

  #enqueue(ruleId: string, event: LiveEvent): void {
    const lane = this.#lanes.get(ruleId) ?? { waiting: 0, work: Promise.resolve() };
    if (lane.waiting >= maxWaitingEach || this.#waiting >= maxWaiting) {
      this.#giveUp('too many alerts are waiting for webhooks');
      return;
    }
    this.#lanes.set(ruleId, lane);
    lane.waiting += 1;
    this.#waiting += 1;
    lane.work = lane.work.then(async () => {
      await this.#deliver(ruleId, event);
      lane.waiting -= 1;
      this.#waiting -= 1;
      if (lane.waiting === 0) this.#lanes.delete(ruleId);
    });
  }

  /** By the rule as it is now: it may have changed while its post waited. */
  async #deliver(ruleId: string, event: LiveEvent): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    try {
      const alert = StoredAlert.parse(event.data);
      const rules = await this.#rulesFor(await this.#parts.rules(), alert, beforeOf(event));
      const rule = rules.find(({ id }) => id === ruleId);
      if (rule !== undefined) await this.#post(rule, event.type, alert);
    } catch (error) {
      this.#giveUp((error as Error).message);
    }
  }

  async #rulesFor(
    stored: readonly StoredRule[],
    alert: StoredAlert,
    before: Sureness | undefined,
  ): Promise<readonly StoredRule[]> {
    const rules = stored.filter(
      (rule) =>
        rule.is_enabled &&
        rule.action === 'webhook' &&
        namesClass({ classes: rule.classes }, alert.attack_type) &&
        (rule.gateway_id === null || rule.gateway_id === alert.gateway_id) &&
        (rule.device === null || rule.device === alert.device_address) &&
        reachesThreshold(alert, rule.threshold ?? 0) &&
        !(before !== undefined && reachesThreshold(before, rule.threshold ?? 0)),
    );
    const isTyped = rules.some((rule) => rule.device_type !== null);
    const type = isTyped && alert.device_id !== null ? await this.#parts.deviceType(alert.device_id) : undefined;
    return rules.filter((rule) => rule.device_type === null || rule.device_type === type);
  }

  async #post({ name, webhook_url: url }: StoredRule, type: LiveEvent['type'], alert: StoredAlert): Promise<void> {
    if (url === null) return;
    const body = JSON.stringify({ type, rule: name, alert });
    const waits = [0, ...(this.#parts.retryAfterMs ?? [2000, 10_000])];
    let problem = '';
    for (const waitMs of waits) {
      try {
        await delay(waitMs, undefined, { signal: this.#stopped.signal });
        const status = await postJson(url, body, this.#stopped.signal);
        if (status >= 200 && status < 300) {
          this.#delivered += 1;
          return;
        }
        problem = `it answered ${status}`;
        if (status >= 400 && status < 500 && status !== 429) break; // it will say the same again
      } catch (error) {
        problem = (error as Error).message;
        if (this.#stopped.signal.aborted) break;
      }
    }
    this.#giveUp(`rule "${name}": ${problem}`);
  }

  /** The address may hold a secret: it is never logged. */
  #giveUp(problem: string): void {
    this.#failed += 1;
    this.#parts.log.warn(`a webhook was given up: ${problem}`);
  }
}

/** What was known of an open alert before it became surer; undefined for every other event. */
function beforeOf(event: LiveEvent): Sureness | undefined {
  if (event.type !== 'alert_updated' || event.before === undefined) return undefined;
  const { status } = event.data;
  return status === 'resolved' || status === 'false_positive' ? undefined : event.before;
}
