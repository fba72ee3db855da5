/**
 * A change of the rules goes out in waves: canaries, a quarter, everybody; each wave only once every gateway of the one
 * before confirmed it over a new connection. One gateway that puts it back stops it, and all get back what they had. What
 * is under way is in the database, so any controller carries it on.
 */
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { z } from 'zod';
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId, RolloutId } from '@picket/shared/contract/identifiers';
import { Rule } from '@picket/shared/contract/rule';
import { StoredRollout } from '@picket/shared/contract/stored-rollout';
import { Policy, Reported } from '@picket/shared/contract/twin';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { RolloutGatewaysTable, RolloutsTable } from '../database/rollout-tables.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import type { StageRollout } from '../rules/policy-publisher.ts';
import { provingProtocol } from '../twin/settled-policy.ts';
import { judge, nextStep, type FleetGateway, type Released } from './plan-rollout.ts';
import type { RolloutRepository, RolloutWithGateways } from './rollout-repository.ts';

export interface RolloutServiceParts {
  readonly rollouts: RolloutRepository;
  /** The rules as they are wanted of this gateway, whether or not it may have them yet. */
  readonly rulesFor: (gateway: GatewayId) => Promise<readonly Rule[]>;
  /** Signs and sends a policy where its content changed. */
  readonly refreshPolicy: (gateway: GatewayId) => Promise<void>;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly now?: () => Date;
}

const system: Actor = { username: 'system', address: null };
const lookEveryMs = 15_000;

export class RolloutService implements AsyncDisposable {
  readonly #parts: RolloutServiceParts;
  readonly #now: () => Date;
  #timer: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(parts: RolloutServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Carries on what is under way, and notices gateways that fall silent. */
  start(): void {
    this.#timer = setInterval(() => this.carryOn(), lookEveryMs);
    this.#timer.unref();
    this.carryOn();
  }

  async list(page: RowsWanted): Promise<Keyed<StoredRollout>[]> {
    const [rows, fleet] = [await this.#parts.rollouts.list(page), await this.#parts.rollouts.fleet()];
    return rows.map((row) => ({ key: [row.rollout.started_at, row.rollout.id], item: toStored(row, fleet.length) }));
  }

  /** Throws `NotFound`. */
  async get(id: RolloutId): Promise<StoredRollout> {
    return toStored(await this.#find(id), (await this.#parts.rollouts.fleet()).length);
  }

  /** What this gateway's policy says: what is wanted once its wave came, what it has until then. */
  async rulesFor(gateway: GatewayId): Promise<readonly Rule[]> {
    for (;;) {
      const latest = await this.#parts.rollouts.latest();
      const rules = await this.#rulesUnder(latest, gateway);
      // else this or another controller changed them meanwhile: they may be those of a roll-out that was not looked at
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

  /** The rules as they are now, to everybody, wave by wave. Takes the place of a roll-out under way. */
  async begin(by: Actor): Promise<StoredRollout> {
    const rollout = this.#newRollout(by);
    await this.#parts.rollouts.insert(rollout);
    await this.#begun(rollout, by);
    return this.get(rollout.id as RolloutId);
  }

  /** Changes the rules and begins their roll-out, in one transaction: nobody signs them for a gateway ahead of its wave. */
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
    await this.#carryOnNow();
  }

  /** After silence: the gateways get their time once more. Throws `NotFound`, `Conflict`. */
  async resume(id: RolloutId, by: Actor): Promise<StoredRollout> {
    const { rollout, gateways } = await this.#find(id);
    if (rollout.state !== 'halted') throw new Conflict(`a roll-out that is ${rollout.state} cannot be resumed`);
    const now = this.#now().toISOString();
    const again = gateways
      .filter(({ state }) => state === 'silent')
      .map((row) => ({ ...row, state: 'released', released_at: now, detail: null }));
    await this.#change(rollout, { state: 'running', detail: null }, again, 'rollout.resume', by);
    await this.#carryOnNow();
    return this.get(id);
  }

  /** Everybody gets back what they had. Throws `NotFound`, `Conflict`. */
  async abort(id: RolloutId, by: Actor): Promise<StoredRollout> {
    const { rollout } = await this.#find(id);
    if (rollout.state !== 'running' && rollout.state !== 'halted')
      throw new Conflict(
        `a roll-out that is ${rollout.state} cannot be aborted; change the rules and they go out anew`,
      );
    await this.#change(rollout, { state: 'rolled_back', detail: `aborted by ${by.username}` }, [], 'rollout.abort', by);
    await this.#carryOnNow();
    return this.get(id);
  }

  /** Something was reported, somebody came: there may be something to do. Returns at once. */
  carryOn(): void {
    if (this.#isDue) return; // the one that waits will see it too
    this.#carryOnNow().catch((error: unknown) => this.#parts.log.error({ err: error }, 'a roll-out could not go on'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue;
  }

  async #carryOnNow(): Promise<void> {
    this.#isDue = true;
    const mine = this.#queue.then(async () => {
      this.#isDue = false;
      while (await this.#advance());
    });
    this.#queue = mine.catch(() => {});
    await mine;
  }

  /** One step; true where there may be another one. */
  async #advance(): Promise<boolean> {
    const latest = await this.#parts.rollouts.latest();
    if (latest?.rollout.state === 'rolled_back') return this.#revert(latest);
    if (latest?.rollout.state !== 'running') return false;
    if (await this.#signReleased(latest)) return true;
    const fleet = (await this.#parts.rollouts.fleet()).map(toFleetGateway);
    const released = latest.gateways.map(toReleased);
    const verdicts = judge(released, fleet, this.#now().getTime());
    if (verdicts.length > 0) {
      const rows = verdicts.map(({ gatewayId, state, detail }) => ({ ...rowOf(latest, gatewayId), state, detail }));
      return this.#change(latest.rollout, {}, rows, 'rollout.gateways');
    }
    const step = nextStep(released, fleet);
    switch (step.kind) {
      case 'wait':
        return false;
      case 'complete': {
        const done = await this.#change(latest.rollout, { state: 'completed' }, [], 'rollout.complete');
        for (const { id } of fleet) await this.#parts.refreshPolicy(id as GatewayId); // who is away gets it when back
        return done;
      }
      case 'halt':
        return this.#change(latest.rollout, { state: 'halted', detail: step.detail }, [], 'rollout.halt');
      case 'roll_back':
        return this.#change(latest.rollout, { state: 'rolled_back', detail: step.detail }, [], 'rollout.roll-back');
      case 'release':
        return this.#release(latest, step.wave, step.gatewayIds);
    }
  }

  async #release(latest: RolloutWithGateways, wave: number, ids: readonly string[]): Promise<boolean> {
    const now = this.#now().toISOString();
    const rows: Selectable<RolloutGatewaysTable>[] = [];
    for (const id of ids) {
      const gateway = await this.#parts.rollouts.gateway(id as GatewayId);
      const had =
        (gateway === undefined ? undefined : signedRules(gateway)) ?? (await this.#parts.rulesFor(id as GatewayId));
      rows.push({
        rollout_id: latest.rollout.id,
        gateway_id: id,
        wave,
        state: 'released',
        version: null,
        reverted_version: null,
        released_at: now,
        detail: null,
        previous_rules: JSON.stringify(had),
      });
    }
    return this.#change(latest.rollout, { wave }, rows, 'rollout.wave');
  }

  /** Policies for those who were released and have none yet: also what a controller that stopped left undone. */
  async #signReleased(latest: RolloutWithGateways): Promise<boolean> {
    const unsigned = latest.gateways.filter(({ state, version }) => state === 'released' && version === null);
    if (unsigned.length === 0) return false;
    const signed: Selectable<RolloutGatewaysTable>[] = [];
    for (const row of unsigned) signed.push({ ...row, version: await this.#sign(row.gateway_id) });
    return this.#change(latest.rollout, {}, signed);
  }

  async #revert(latest: RolloutWithGateways): Promise<boolean> {
    const left = latest.gateways.filter(({ reverted_version: version }) => version === null);
    if (left.length === 0) return false;
    const rows: Selectable<RolloutGatewaysTable>[] = [];
    for (const row of left) rows.push({ ...row, reverted_version: await this.#sign(row.gateway_id) });
    return this.#change(latest.rollout, {}, rows, 'rollout.reverted');
  }

  async #sign(gateway: string): Promise<number> {
    await this.#parts.refreshPolicy(gateway as GatewayId);
    return (await this.#parts.rollouts.gateway(gateway as GatewayId))?.policy_version ?? 0;
  }

  async #change(
    seen: Selectable<RolloutsTable>,
    change: Partial<Pick<RolloutsTable, 'state' | 'detail' | 'wave'>>,
    rows: readonly Selectable<RolloutGatewaysTable>[],
    what?: string,
    actor: Actor = system,
  ): Promise<boolean> {
    if (!(await this.#parts.rollouts.change(seen, change, rows, this.#now().toISOString()))) return false;
    const told = rows.map(({ gateway_id, state, version, detail }) => ({ gateway_id, state, version, detail }));
    if (what !== undefined)
      await this.#parts.audit.record({
        actor,
        what,
        onWhat: `rollout ${seen.id}`,
        after: { ...change, gateways: told },
      });
    if (what === 'rollout.halt' || what === 'rollout.roll-back')
      this.#parts.log.error({ rollout: seen.id, reason: change.detail }, 'a roll-out of rules was stopped');
    this.#parts.live.publish('live', { type: 'rollout_changed', data: { ...(await this.get(seen.id as RolloutId)) } });
    return true;
  }

  async #find(id: RolloutId): Promise<RolloutWithGateways> {
    const found = await this.#parts.rollouts.find(id);
    if (found === undefined) throw new NotFound('there is no roll-out with this id');
    return found;
  }
}

function rowOf(latest: RolloutWithGateways, gatewayId: string): Selectable<RolloutGatewaysTable> {
  const row = latest.gateways.find(({ gateway_id: id }) => id === gatewayId);
  if (row === undefined) throw new Error(`${gatewayId} is judged and was not released`);
  return row;
}

function toReleased(row: Selectable<RolloutGatewaysTable>): Released {
  const { gateway_id: gatewayId, wave, version } = row;
  const state = row.state as Released['state'];
  return { gatewayId, wave, state, version, releasedAtMs: Date.parse(row.released_at) };
}

function toFleetGateway(row: Selectable<GatewaysTable>): FleetGateway {
  const labels = z.record(z.string(), z.string()).parse(JSON.parse(row.labels));
  const reported = row.reported === null ? undefined : Reported.safeParse(JSON.parse(row.reported)).data;
  return {
    id: row.id,
    online: row.online === 1,
    isCanary: labels['canary'] !== undefined && labels['canary'] !== 'false',
    confirms: row.protocol >= provingProtocol,
    reported: reported?.policy,
  };
}

/** The rules in the policy that was signed last; undefined where there is none that this build reads. */
function signedRules({ policy_jws: jws }: Selectable<GatewaysTable>): readonly Rule[] | undefined {
  const payload = jws?.split('.')[1];
  if (payload === undefined) return undefined;
  return Policy.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data?.rules;
}

function parseRules(text: string): readonly Rule[] {
  return z.array(Rule).parse(JSON.parse(text));
}

function toStored({ rollout, gateways }: RolloutWithGateways, fleetSize: number): StoredRollout {
  const isOver = rollout.state === 'completed' || rollout.state === 'superseded';
  return StoredRollout.parse({ ...rollout, waiting: isOver ? 0 : Math.max(0, fleetSize - gateways.length), gateways });
}
