/** Decisions: what analysts ask for and lift, listed with what gateways decided by themselves, and where each stands in the kernels. */
import type { Selectable } from 'kysely';
import type { Decision } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import type { DecisionId, GatewayId } from '@picket/shared/contract/identifiers';
import type { DecisionLogEntry, NewDecision, StoredDecision } from '@picket/shared/contract/stored-decision';
import type { DecisionChange } from '@picket/shared/contract/twin';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { restricts, type UnblockValue } from '@picket/shared/policy/unblock-value';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { DecisionStateRow } from '../database/decision-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { GatewayDirectory } from '../devices/gateway-directory.ts';
import { NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import { publishAll } from '../live/live-message.ts';
import { gatewaysFor, readNewDecision, refusedField, refuseGuarded } from './check-new-decision.ts';
import type { DecisionPublisher } from './decision-publisher.ts';
import type { DecisionLogRepository, LogFilter } from './decision-log-repository.ts';
import type { DecisionFilter, DecisionRepository, DecisionWithStates } from './decision-repository.ts';
import { decisionChanged, endedStates, toDecision, toLogEntry, toRow, toWire } from './stored-decision.ts';

/** Per start; more would mean that the fleet has been away for long, and the snapshot serves those. */
const maxRepublished = 20_000;

export class DecisionService {
  readonly #decisions: DecisionRepository;
  readonly #log: DecisionLogRepository;
  readonly #publisher: DecisionPublisher;
  readonly #gateways: GatewayDirectory;
  readonly #audit: AuditService;
  readonly #live: LiveFeed;
  readonly #ownAddresses: () => readonly string[];
  readonly #now: () => Date;

  constructor(parts: {
    decisions: DecisionRepository;
    log: DecisionLogRepository;
    publisher: DecisionPublisher;
    gateways: GatewayDirectory;
    audit: AuditService;
    live: LiveFeed;
    /** The controller's own addresses: never a target. */
    ownAddresses: () => readonly string[];
    now?: () => Date;
  }) {
    this.#decisions = parts.decisions;
    this.#log = parts.log;
    this.#publisher = parts.publisher;
    this.#gateways = parts.gateways;
    this.#audit = parts.audit;
    this.#live = parts.live;
    this.#ownAddresses = parts.ownAddresses;
    this.#now = parts.now ?? (() => new Date());
  }

  async list(filter: DecisionFilter, page: RowsWanted): Promise<Keyed<StoredDecision>[]> {
    const now = this.#now().toISOString();
    const rows = await this.#decisions.list(filter, now, page);
    return rows.map((row) => ({ key: [row.decision.created_at, row.decision.id], item: toDecision(row, now) }));
  }

  /** Throws `NotFound`. */
  async get(id: DecisionId): Promise<StoredDecision> {
    const row = await this.#decisions.find(id);
    if (row === undefined) throw new NotFound('there is no decision with this id');
    return toDecision(row, this.#now().toISOString());
  }

  async ofAlert(alertId: string, ids: readonly string[]): Promise<StoredDecision[]> {
    const now = this.#now().toISOString();
    return (await this.#decisions.ofAlert(alertId, ids)).map((row) => toDecision(row, now));
  }

  countActive(gateway?: string): Promise<number> {
    return this.#decisions.countActive(this.#now().toISOString(), gateway);
  }

  async log(filter: LogFilter, page: RowsWanted): Promise<Keyed<DecisionLogEntry>[]> {
    const rows = await this.#log.list(filter, page);
    return rows.map((row) => ({ key: [row.recorded_at, row.id], item: toLogEntry(row) }));
  }

  /**
   * Keeps the decision and hands it to every gateway it is for; each answers later with what its kernel did.
   * Throws `InvalidInput` for a value that cannot be or is too wide, `Conflict` for one that the fleet stands on.
   */
  async add(input: NewDecision, actor: Actor): Promise<StoredDecision> {
    const { target, value } = readNewDecision(input);
    if (input.alert_id !== null && !(await this.#decisions.alertExists(input.alert_id))) {
      throw refusedField('/alert_id', 'there is no alert with this id');
    }
    const gateways = gatewaysFor(input.gateways, await this.#gateways.enrolled());
    refuseGuarded(target, gateways, this.#ownAddresses());
    const now = this.#now();
    const decision: Decision = {
      id: newId() as DecisionId,
      origin: 'analyst',
      action: input.action,
      scope: input.scope,
      value,
      direction: input.direction,
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + input.duration * 1000).toISOString(),
      scenario: 'analyst',
      mode: 'enforce', // the gateway's own mode may be gentler, and wins
      reason: input.reason,
      who: actor.username,
      alert_id: input.alert_id,
      rule_id: null,
    };
    const at = decision.created_at;
    const states = gateways.map(({ id }): Selectable<DecisionStateRow> => ({
      decision_id: decision.id,
      gateway_id: id,
      state: 'proposed',
      at,
      detail: null,
    }));
    await this.#decisions.insert(
      toRow(decision, null),
      states,
      states.map((state) => ({ ...state, id: newId(), recorded_at: at })),
    );
    await this.#audit.record({ actor, what: 'decision.add', onWhat: `decision ${decision.id}`, after: decision });
    for (const { id } of gateways) await this.#publisher.publish(id, [{ op: 'add', decision }]);
    return this.#announced(decision.id);
  }

  /** Lifts a decision of any origin wherever it is. Repeatable. Each gateway answers `retracted` when its kernel let go. */
  async lift(id: DecisionId, actor: Actor): Promise<StoredDecision> {
    const row = await this.#decisions.find(id);
    if (row === undefined) throw new NotFound('there is no decision with this id');
    await this.#liftAll([row], actor);
    return this.#announced(id);
  }

  /** Every active decision of exactly this value; `NotFound` where there is none. */
  async liftValue(value: string, actor: Actor): Promise<StoredDecision[]> {
    const rows = await this.#decisions.activeOfValue(value.trim(), this.#now().toISOString());
    if (rows.length === 0) throw new NotFound(`no active decision has the value ${value}`);
    await this.#liftAll(rows, actor);
    const lifted: StoredDecision[] = [];
    for (const { decision } of rows) lifted.push(await this.#announced(decision.id as DecisionId));
    return lifted;
  }

  /**
   * Every active decision that restricts this, whoever made it; with `only` those that stand on these gateways alone, for a
   * decision is lifted whole. To be asked before the gateways are told, whose answers end them.
   */
  async restricting(
    wanted: UnblockValue,
    { includePrefixes, only }: { readonly includePrefixes: boolean; readonly only: ReadonlySet<string> | undefined },
  ): Promise<readonly DecisionWithStates[]> {
    const rows = await this.#decisions.active(this.#now().toISOString(), maxRepublished);
    return rows.filter(({ decision, states }) => {
      if (only !== undefined && !states.every((state) => only.has(state.gateway_id) || endedStates.has(state.state)))
        return false;
      const parsed = parseDecisionValue(decision.scope, decision.value);
      const relation = parsed.ok ? restricts(parsed.target, wanted) : undefined;
      return relation === 'names' || (relation === 'covers' && includePrefixes);
    });
  }

  /** Takes them out of the books and of every gateway's log. */
  async liftThese(rows: readonly DecisionWithStates[], actor: Actor): Promise<void> {
    await this.#liftAll(rows, actor);
    for (const { decision } of rows) await this.#announced(decision.id as DecisionId);
  }

  /**
   * Hands on again what a gateway has not answered: a controller may have stopped between keeping a decision and
   * handing it on. Returns how many decisions that were.
   */
  async republish(): Promise<number> {
    const rows = await this.#decisions.unanswered(this.#now().toISOString(), maxRepublished);
    const perGateway = new Map<string, DecisionChange[]>();
    for (const { decision, states } of rows) {
      const lifted = decision.lifted_at !== null;
      const change: DecisionChange = lifted
        ? { op: 'delete', decision_id: decision.id as DecisionId }
        : { op: 'add', decision: toWire(decision) };
      for (const { gateway_id: gatewayId, state } of states) {
        if (lifted ? endedStates.has(state) : state !== 'proposed') continue;
        const changes = perGateway.get(gatewayId);
        if (changes === undefined) perGateway.set(gatewayId, [change]);
        else changes.push(change);
      }
    }
    for (const [gatewayId, changes] of perGateway) await this.#publish(gatewayId, changes);
    return rows.length;
  }

  async #liftAll(rows: readonly DecisionWithStates[], actor: Actor): Promise<void> {
    const now = this.#now().toISOString();
    const lifted = rows.filter(({ decision }) => decision.expires_at > now && decision.lifted_at === null);
    await this.#decisions.lift(
      lifted.map(({ decision }) => decision.id),
      actor.username,
      now,
    );
    const perGateway = new Map<string, string[]>();
    for (const { decision, states } of lifted) {
      await this.#audit.record({
        actor,
        what: 'decision.lift',
        onWhat: `decision ${decision.id}`,
        before: toWire(decision),
      });
      for (const state of states) {
        if (endedStates.has(state.state)) continue;
        perGateway.set(state.gateway_id, [...(perGateway.get(state.gateway_id) ?? []), decision.id]);
      }
    }
    for (const [gatewayId, ids] of perGateway) await this.#publishLift(gatewayId, ids);
  }

  #publishLift(gatewayId: string, ids: readonly string[]): Promise<void> {
    return this.#publish(
      gatewayId,
      ids.map((id) => ({ op: 'delete', decision_id: id as DecisionId })),
    );
  }

  #publish(gatewayId: string, changes: readonly DecisionChange[]): Promise<void> {
    return this.#publisher.publish(gatewayId as GatewayId, changes);
  }

  async #announced(id: DecisionId): Promise<StoredDecision> {
    const decision = await this.get(id);
    publishAll(this.#live, [decisionChanged(decision)]);
    return decision;
  }
}
