/**
 * A change of the rules goes out in waves: canaries, a quarter, everybody; each wave only once every gateway of the one
 * before confirmed it over a new connection. One gateway that puts it back stops it, and all get back what they had. Here is
 * what people ask for and what a gateway's policy says meanwhile; `rollout-driver.ts` takes the steps between.
 */
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId, RolloutId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { StoredRollout } from '@picket/shared/contract/stored-rollout';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { RolloutsTable } from '../database/rollout-tables.ts';
import { Conflict } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import type { StageRollout } from '../rules/policy-publisher.ts';
import { RolloutChanges } from './rollout-changes.ts';
import { RolloutDriver } from './rollout-driver.ts';
import type { RolloutRepository, RolloutWithGateways } from './rollout-repository.ts';
import { parseRules, signedRules, toStored } from './stored-rollout.ts';

export interface RolloutServiceParts {
  readonly rollouts: RolloutRepository;
  /** The rules as they are wanted of this gateway, whether or not it may have them yet. */
  readonly rulesFor: (gateway: GatewayId) => Promise<readonly Rule[]>;
  /** Signs and sends a policy where its content changed. */
  readonly refreshPolicy: (gateway: GatewayId) => Promise<void>;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly log: Pick<Logger, 'error'>;
  readonly now?: () => Date;
}

export class RolloutService implements AsyncDisposable {
  readonly #parts: RolloutServiceParts;
  readonly #changes: RolloutChanges;
  readonly #driver: RolloutDriver;
  readonly #now: () => Date;

  constructor(parts: RolloutServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
    this.#changes = new RolloutChanges({ ...parts, now: this.#now });
    this.#driver = new RolloutDriver({ ...parts, changes: this.#changes, now: this.#now });
  }

  /** Carries on what is under way, and notices gateways that fall silent. */
  start(): void {
    this.#driver.start();
  }

  async list(page: RowsWanted): Promise<Keyed<StoredRollout>[]> {
    const [rows, fleet] = [await this.#parts.rollouts.list(page), await this.#parts.rollouts.fleet()];
    return rows.map((row) => ({ key: [row.rollout.started_at, row.rollout.id], item: toStored(row, fleet.length) }));
  }

  /** Throws `NotFound`. */
  get(id: RolloutId): Promise<StoredRollout> {
    return this.#changes.get(id);
  }

  /** What this gateway's policy says: what is wanted once its wave came, what it has until then. */
  async rulesFor(gateway: GatewayId): Promise<readonly Rule[]> {
    for (;;) {
      const latest = await this.#parts.rollouts.latest();
      const rules = await this.#rulesUnder(latest, gateway);
      // else this or another controller changed them meanwhile: they may be those of a rollout that was not looked at
      if ((await this.#parts.rollouts.latestId()) === latest?.rollout.id) return rules;
    }
  }

  async #rulesUnder(latest: RolloutWithGateways | undefined, gateway: GatewayId): Promise<readonly Rule[]> {
    if (latest === undefined || latest.rollout.state === 'completed') return this.#parts.rulesFor(gateway);
    const row = latest.gateways.find(({ gateway_id: id }) => id === gateway);
    if (latest.rollout.state === 'rolled_back' && row !== undefined) return parseRules(row.previous_rules);
    if (row !== undefined) return this.#parts.rulesFor(gateway);
    const known = await this.#parts.rollouts.gateway(gateway);
    return (known === undefined ? undefined : signedRules(known)) ?? this.#parts.rulesFor(gateway);
  }

  /** The rules as they are now, to everybody, wave by wave. Takes the place of a rollout under way. */
  async begin(by: Actor): Promise<StoredRollout> {
    const rollout = this.#newRollout(by);
    await this.#parts.rollouts.insert(rollout);
    await this.#begun(rollout, by);
    return this.get(rollout.id as RolloutId);
  }

  /** Changes the rules and begins their rollout, in one transaction: nobody signs them for a gateway ahead of its wave. */
  async changeRules<T>(by: Actor, change: (stage: StageRollout) => Promise<T>): Promise<T> {
    const rollout = this.#newRollout(by);
    const result = await change((transaction) => this.#parts.rollouts.insertIn(transaction, rollout));
    await this.#begun(rollout, by);
    return result;
  }

  #newRollout(by: Actor): Selectable<RolloutsTable> {
    const now = this.#now().toISOString();
    return {
      id: newId(),
      state: 'running',
      detail: null,
      wave: null,
      started_at: now,
      started_by: by.username,
      updated_at: now,
      revision: 0,
    };
  }

  async #begun({ id }: Selectable<RolloutsTable>, by: Actor): Promise<void> {
    await this.#parts.audit.record({ actor: by, what: 'rollout.begin', onWhat: `rollout ${id}` });
    await this.#driver.carryOnNow();
  }

  /** After silence: the gateways get their time once more. Throws `NotFound`, `Conflict`. */
  async resume(id: RolloutId, by: Actor): Promise<StoredRollout> {
    const { rollout, gateways } = await this.#changes.find(id);
    if (rollout.state !== 'halted') throw new Conflict(`a rollout that is ${rollout.state} cannot be resumed`);
    const now = this.#now().toISOString();
    const again = gateways
      .filter(({ state }) => state === 'silent')
      .map((row) => ({ ...row, state: 'released', released_at: now, detail: null }));
    await this.#changes.make(rollout, { state: 'running', detail: null }, again, 'rollout.resume', by);
    await this.#driver.carryOnNow();
    return this.get(id);
  }

  /** Everybody gets back what they had. Throws `NotFound`, `Conflict`. */
  async abort(id: RolloutId, by: Actor): Promise<StoredRollout> {
    const { rollout } = await this.#changes.find(id);
    if (rollout.state !== 'running' && rollout.state !== 'halted')
      throw new Conflict(`a rollout that is ${rollout.state} cannot be aborted; change the rules and they go out anew`);
    await this.#changes.make(
      rollout,
      { state: 'rolled_back', detail: `aborted by ${by.username}` },
      [],
      'rollout.abort',
      by,
    );
    await this.#driver.carryOnNow();
    return this.get(id);
  }

  /** Something was reported, somebody came: there may be something to do. Returns at once. */
  carryOn(): void {
    this.#driver.carryOn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
  }
}
