/** Decisions: what analysts ask for, what gateways decided by themselves, and where each stands in the kernels. */
import type { Selectable } from 'kysely';
import type { Decision, DecisionEvent, DecisionState } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import type { DecisionId, GatewayId } from '@picket/shared/contract/identifiers';
import type { DecisionLogEntry, NewDecision, StoredDecision } from '@picket/shared/contract/stored-decision';
import type { DecisionChange } from '@picket/shared/contract/twin';
import { actionProblem, parseDecisionValue, type DecisionTarget } from '@picket/shared/policy/decision-value';
import { guardedAddress } from '@picket/shared/policy/guarded-address';
import { restricts, type UnblockValue } from '@picket/shared/policy/unblock-value';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Executor } from '../database/executor.ts';
import type { DecisionEventRow, DecisionRow, DecisionStateRow } from '../database/history-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { GatewayDirectory, KnownGateway } from '../devices/gateway-directory.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import { publishAll, type LiveMessage } from '../live/live-message.ts';
import type { DecisionPublisher } from './decision-publisher.ts';
import type {
  DecisionFilter,
  DecisionRepository,
  DecisionWithStates,
  LoggedDecisionEvent,
  LogFilter,
} from './decision-repository.ts';

const ended: ReadonlySet<DecisionState> = new Set(['refused', 'expired', 'retracted', 'failed']);
/** Per start; more would mean that the fleet has been away for long, and the snapshot serves those. */
const maxRepublished = 20_000;

export interface ReportedDecision {
  readonly event: DecisionEvent;
  readonly at: string;
}

export class DecisionService {
  readonly #decisions: DecisionRepository;
  readonly #publisher: DecisionPublisher;
  readonly #gateways: GatewayDirectory;
  readonly #audit: AuditService;
  readonly #live: LiveFeed;
  readonly #ownAddresses: () => readonly string[];
  readonly #now: () => Date;

  constructor(parts: {
    decisions: DecisionRepository;
    publisher: DecisionPublisher;
    gateways: GatewayDirectory;
    audit: AuditService;
    live: LiveFeed;
    /** The controller's own addresses: never a target. */
    ownAddresses: () => readonly string[];
    now?: () => Date;
  }) {
    this.#decisions = parts.decisions;
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
    const rows = await this.#decisions.log(filter, page);
    return rows.map((row) => ({ key: [row.recorded_at, row.id], item: toLogEntry(row) }));
  }

  /**
   * Keeps the decision and hands it to every gateway it is for; each answers later with what its kernel did.
   * Throws `InvalidInput` for a value that cannot be or is too wide, `Conflict` for one that the fleet stands on.
   */
  async add(input: NewDecision, actor: Actor): Promise<StoredDecision> {
    const parsed = parseDecisionValue(input.scope, input.value);
    if (!parsed.ok) throw refusedField('/value', parsed.reason);
    const misfit = actionProblem(input.action, input.scope);
    if (misfit !== undefined) throw refusedField('/scope', misfit);
    if (input.alert_id !== null && !(await this.#decisions.alertExists(input.alert_id))) {
      throw refusedField('/alert_id', 'there is no alert with this id');
    }
    const targets = await this.#targets(input.gateways);
    this.#refuseGuarded(parsed.target, targets);
    const now = this.#now();
    const decision: Decision = {
      id: newId() as DecisionId,
      origin: 'analyst',
      action: input.action,
      scope: input.scope,
      value: parsed.value,
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
    const states = targets.map(({ id }): Selectable<DecisionStateRow> => ({
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
    for (const { id } of targets) await this.#publisher.publish(id, [{ op: 'add', decision }]);
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
      if (only !== undefined && !states.every((state) => only.has(state.gateway_id) || ended.has(state.state)))
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
        if (lifted ? ended.has(state) : state !== 'proposed') continue;
        const changes = perGateway.get(gatewayId);
        if (changes === undefined) perGateway.set(gatewayId, [change]);
        else changes.push(change);
      }
    }
    for (const [gatewayId, changes] of perGateway) await this.#publish(gatewayId, changes);
    return rows.length;
  }

  /** Ingestion, in the batch's transaction. Returns what is to be told live after its commit. */
  async store(executor: Executor, gatewayId: GatewayId, reports: readonly ReportedDecision[]): Promise<LiveMessage[]> {
    const decisions = new Map<string, Selectable<DecisionRow>>();
    const states = new Map<string, Selectable<DecisionStateRow>>();
    const events: Selectable<DecisionEventRow>[] = [];
    for (const { event, at } of reports) {
      const { id } = event.decision;
      if (!decisions.has(id)) decisions.set(id, toRow(event.decision, gatewayId));
      const state = {
        decision_id: id,
        gateway_id: gatewayId,
        state: event.state,
        at: new Date(event.at).toISOString(),
        detail: event.detail,
      };
      states.set(id, state);
      events.push({ ...state, id: newId(), recorded_at: at });
    }
    if (decisions.size === 0) return [];
    await this.#decisions.insertNew(executor, [...decisions.values()]);
    await this.#decisions.upsertStates(executor, [...states.values()]);
    await this.#decisions.insertEvents(executor, events);
    const now = this.#now().toISOString();
    const changed = await this.#decisions.byIds([...decisions.keys()], executor);
    return changed.map((row) => message(toDecision(row, now)));
  }

  async #targets(wanted: readonly GatewayId[] | undefined): Promise<readonly KnownGateway[]> {
    const enrolled = await this.#gateways.enrolled();
    if (wanted === undefined) {
      if (enrolled.length === 0) throw new Conflict('no gateway is enrolled that could hold this decision');
      return enrolled;
    }
    return [...new Set(wanted)].map((id) => {
      const gateway = enrolled.find((known) => known.id === id);
      if (gateway === undefined) throw refusedField('/gateways', `no gateway ${id} is enrolled`);
      return gateway;
    });
  }

  #refuseGuarded(target: DecisionTarget, gateways: readonly KnownGateway[]): void {
    const own = guardedAddress(target, this.#ownAddresses());
    if (own !== undefined)
      throw new Conflict(`${own} is this controller; a gateway that blocks it is lost to the fleet`);
    for (const gateway of gateways) {
      const address = guardedAddress(target, gateway.addresses);
      if (address !== undefined) throw new Conflict(`${address} is the gateway ${gateway.id} itself`);
      const route = guardedAddress(target, gateway.defaultRoutes);
      if (route !== undefined)
        throw new Conflict(
          `${route} is the next hop of the default route of ${gateway.id}: all behind it would be cut off`,
        );
    }
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
        if (ended.has(state.state)) continue;
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
    publishAll(this.#live, [message(decision)]);
    return decision;
  }
}

function message(decision: StoredDecision): LiveMessage {
  return { channels: ['alerts'], event: { type: 'decision_changed', data: decision } };
}

function refusedField(pointer: string, detail: string): InvalidInput {
  return new InvalidInput(`${pointer.slice(1)}: ${detail}`, { fields: [{ pointer, detail }] });
}

function toRow(decision: Decision, madeByGateway: string | null): Selectable<DecisionRow> {
  return {
    ...decision,
    created_at: new Date(decision.created_at).toISOString(),
    expires_at: new Date(decision.expires_at).toISOString(),
    made_by_gateway: madeByGateway,
    lifted_at: null,
    lifted_by: null,
  };
}

function toWire(row: Selectable<DecisionRow>): Decision {
  const { made_by_gateway: _made, lifted_at: _at, lifted_by: _by, ...decision } = row;
  return decision as Decision;
}

function toDecision({ decision, states }: DecisionWithStates, now: string): StoredDecision {
  return {
    ...decision,
    active: decision.expires_at > now && decision.lifted_at === null && states.some((state) => !ended.has(state.state)),
    gateways: states.map(({ gateway_id, state, at, detail }) => ({ gateway_id, state, at, detail })),
  } as StoredDecision;
}

function toLogEntry(row: LoggedDecisionEvent): DecisionLogEntry {
  const { recorded_at: _recorded, ...rest } = row;
  return { ...rest, success: row.state !== 'refused' && row.state !== 'failed' } as DecisionLogEntry;
}
