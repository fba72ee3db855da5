/** Prevention rules: what every gateway does about attacks. A change reaches the gateways as a new policy version. */
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId, RuleId } from '@picket/shared/contract/identifiers';
import type { DeviceType } from '@picket/shared/contract/device';
import { Rule } from '@picket/shared/contract/rule';
import type { NewRule, RuleChange, StoredRule } from '@picket/shared/contract/stored-rule';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import { Conflict, InvalidInput, NotFound, PreconditionFailed } from '../errors.ts';
import type { PolicyPublisher } from './policy-publisher.ts';
import { byPrecedence } from './rule-precedence.ts';
import type { RuleRepository, StoredRuleRow } from './rule-repository.ts';

/** As many as a policy carries. */
const maxRules = 200;
/** As many as a rule carries of its group. */
const maxMembers = 500;

/** Addresses or MACs of the devices of this type behind a gateway. */
export type MembersOf = (gateway: GatewayId, type: DeviceType) => Promise<readonly string[]>;

/** A rule as somebody thinks of it, with what its place among the others goes by. */
export type TriedRule = NewRule & Pick<StoredRule, 'id' | 'created_at'>;

export class RuleService {
  readonly #rules: RuleRepository;
  readonly #policies: PolicyPublisher;
  readonly #audit: AuditService;
  readonly #membersOf: MembersOf;
  readonly #now: () => Date;

  constructor(parts: {
    rules: RuleRepository;
    policies: PolicyPublisher;
    audit: AuditService;
    membersOf: MembersOf;
    now?: () => Date;
  }) {
    this.#rules = parts.rules;
    this.#membersOf = parts.membersOf;
    this.#policies = parts.policies;
    this.#audit = parts.audit;
    this.#now = parts.now ?? (() => new Date());
  }

  async list(page: RowsWanted): Promise<Keyed<StoredRule>[]> {
    const rows = await this.#rules.list(page);
    return rows.map((row) => ({ key: [row.created_at, row.id], item: toStoredRule(row) }));
  }

  /** Throws `NotFound`. */
  async get(id: RuleId): Promise<StoredRule> {
    return toStoredRule(await this.#find(id));
  }

  /** In the order of their ids. */
  async all(): Promise<StoredRule[]> {
    return (await this.#rules.all()).map(toStoredRule);
  }

  /** The rules of one gateway as its policy carries them: the first that is met acts. */
  async forPolicy(gateway: GatewayId): Promise<Rule[]> {
    const rules: Rule[] = [];
    for (const stored of byPrecedence(await this.all())) {
      const rule = await this.#onGateway(stored, gateway);
      if (rule !== undefined) rules.push(rule);
    }
    return rules;
  }

  /**
   * The same with one more, or with another content for one that is there, at its place among the others and enabled;
   * undefined where it does not hold on this gateway.
   */
  async forPolicyWith(tried: TriedRule, gateway: GatewayId): Promise<readonly Rule[] | undefined> {
    const others = (await this.all()).filter(({ id }) => id !== tried.id);
    const rules: Rule[] = [];
    let isThere = false;
    for (const stored of byPrecedence<TriedRule>([...others, { ...tried, is_enabled: true }])) {
      const rule = await this.#onGateway(stored, gateway);
      if (rule === undefined) continue;
      rules.push(rule);
      isThere ||= rule.id === tried.id;
    }
    return isThere ? rules : undefined;
  }

  async #onGateway(rule: NewRule & { readonly id: RuleId }, gateway: GatewayId): Promise<Rule | undefined> {
    if (rule.gateway_id !== null && rule.gateway_id !== gateway) return undefined;
    const devices = rule.device_type === null ? [] : await this.#membersOf(gateway, rule.device_type);
    // a group without members on this gateway is not the same as no group
    return rule.device_type === null || devices.length > 0 ? toWireRule(rule, devices) : undefined;
  }

  /** Throws `Conflict` where the name is taken or no more rules fit into a policy. */
  async create(input: NewRule, actor: Actor): Promise<StoredRule> {
    checkRule(input);
    const now = this.#now().toISOString();
    const row: StoredRuleRow = {
      ...input,
      ...toColumns(input),
      id: newId(),
      version: 1,
      created_at: now,
      updated_at: now,
      updated_by: actor.username,
    };
    return this.#policies.changeRules(actor, async (stage) => {
      const outcome = await this.#rules.insert(row, maxRules, stage);
      if (outcome === 'taken') throw nameTaken(input.name);
      if (outcome === 'full') throw new Conflict(`there are ${maxRules} rules already; delete one first`);
      const rule = toStoredRule(row);
      await this.#audit.record({ actor, what: 'rule.create', onWhat: `rule ${rule.id}`, after: rule });
      return rule;
    });
  }

  /** `version`: the one the change is made upon; undefined takes whatever is there. Throws `PreconditionFailed`. */
  async update(id: RuleId, change: RuleChange, version: number | undefined, actor: Actor): Promise<StoredRule> {
    const before = await this.#find(id);
    checkVersion(before, version);
    const changed = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const wanted = { ...toStoredRule(before), ...changed };
    checkRule(wanted);
    const {
      id: _id,
      created_at: _created,
      version: _version,
      updated_at: _at,
      updated_by: _by,
      ...columns
    } = { ...wanted, ...toColumns(wanted) };
    return this.#policies.changeRules(actor, async (stage) => {
      const values = { ...columns, updated_at: this.#now().toISOString(), updated_by: actor.username };
      const outcome = await this.#rules.update(id, before.version, values, stage);
      if (outcome === 'taken') throw nameTaken(change.name ?? '');
      if (outcome === 'stale') throw changedMeanwhile();
      const after = await this.get(id);
      await this.#audit.record({
        actor,
        what: 'rule.update',
        onWhat: `rule ${id}`,
        before: toStoredRule(before),
        after,
      });
      return after;
    });
  }

  /** Without `isEnabled` the other of the two; with it repeatable: nothing changes where it is so already. */
  async toggle(id: RuleId, isEnabled: boolean | undefined, actor: Actor): Promise<StoredRule> {
    const before = await this.get(id);
    const wanted = isEnabled ?? !before.is_enabled;
    return wanted === before.is_enabled ? before : this.update(id, { is_enabled: wanted }, before.version, actor);
  }

  async delete(id: RuleId, version: number | undefined, actor: Actor): Promise<void> {
    const before = await this.#find(id);
    checkVersion(before, version);
    await this.#policies.changeRules(actor, async (stage) => {
      if ((await this.#rules.delete(id, before.version, stage)) === 'stale') throw changedMeanwhile();
      await this.#audit.record({ actor, what: 'rule.delete', onWhat: `rule ${id}`, before: toStoredRule(before) });
    });
  }

  /** Undefined where there is none, or none any more. */
  async find(id: string): Promise<StoredRule | undefined> {
    const row = await this.#rules.find(id);
    return row === undefined ? undefined : toStoredRule(row);
  }

  async #find(id: RuleId): Promise<StoredRuleRow> {
    const row = await this.#rules.find(id);
    if (row === undefined) throw new NotFound('there is no rule with this id');
    return row;
  }
}

function checkRule(rule: NewRule): void {
  if (rule.min_windows > rule.of_windows) throw refusedField('min_windows', `at most of_windows (${rule.of_windows})`);
  if (rule.device !== null && rule.device_type !== null)
    throw refusedField('device_type', 'a rule is for one device or for a type of device, not for both');
  if ((rule.action === 'webhook') !== (rule.webhook_url !== null))
    throw refusedField('webhook_url', 'belongs to the action webhook, which cannot do without it');
}

function refusedField(field: string, detail: string): InvalidInput {
  return new InvalidInput(`${field}: ${detail}`, { fields: [{ pointer: `/${field}`, detail }] });
}

function checkVersion(row: StoredRuleRow, version: number | undefined): void {
  if (version !== undefined && version !== row.version) throw changedMeanwhile();
}

function changedMeanwhile(): PreconditionFailed {
  return new PreconditionFailed('the rule was changed since you read it; read it again and repeat your change');
}

function nameTaken(name: string): Conflict {
  return new Conflict(`another rule is called "${name}"`);
}

function toColumns(
  rule: NewRule,
): Pick<StoredRuleRow, 'is_enabled' | 'classes' | 'device_ladder' | 'escalation' | 'schedule'> {
  return {
    is_enabled: rule.is_enabled ? 1 : 0,
    classes: JSON.stringify(rule.classes),
    device_ladder: JSON.stringify(rule.device_ladder),
    escalation: rule.escalation === null ? null : JSON.stringify(rule.escalation),
    schedule: rule.schedule === null ? null : JSON.stringify(rule.schedule),
  };
}

function toStoredRule(row: StoredRuleRow): StoredRule {
  const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return {
    ...row,
    is_enabled: row.is_enabled === 1,
    classes: parsed(row.classes),
    device_ladder: parsed(row.device_ladder),
    escalation: parsed(row.escalation),
    schedule: parsed(row.schedule),
  } as StoredRule;
}

/** `devices`: the members of the rule's group on the gateway that it is for. */
function toWireRule(rule: NewRule & Pick<Rule, 'id'>, devices: readonly string[]): Rule {
  return Rule.parse({
    id: rule.id,
    name: rule.name,
    is_enabled: rule.is_enabled,
    threshold: rule.threshold,
    classes: rule.classes,
    device: rule.device,
    devices: devices.slice(0, maxMembers),
    action: rule.action,
    device_ladder: rule.device_ladder,
    direction: rule.direction,
    min_windows: rule.min_windows,
    of_windows: rule.of_windows,
    min_flows: rule.min_flows,
    cooldown_seconds: rule.cooldown_seconds,
    duration_seconds: rule.duration_seconds,
    escalation: rule.escalation,
    schedule: rule.schedule,
    mode: rule.mode,
  });
}
