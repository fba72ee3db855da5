/** Prevention rules: what every gateway does about attacks. A change reaches the gateways as a new policy version. */
import { newId } from '@picket/shared/contract/identifiers';
import type { RuleId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { NewRule, RuleChange, StoredRule } from '@picket/shared/contract/stored-rule';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import { Conflict, InvalidInput, NotFound, PreconditionFailed } from '../errors.ts';
import type { PolicyPublisher } from './policy-publisher.ts';
import type { RuleRepository, StoredRuleRow } from './rule-repository.ts';

/** As many as a policy carries. */
const maxRules = 200;

export class RuleService {
  readonly #rules: RuleRepository;
  readonly #policies: PolicyPublisher;
  readonly #audit: AuditService;
  readonly #now: () => Date;

  constructor(parts: { rules: RuleRepository; policies: PolicyPublisher; audit: AuditService; now?: () => Date }) {
    this.#rules = parts.rules;
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

  /** All rules as a policy carries them, in the order of their ids. */
  async forPolicy(): Promise<Rule[]> {
    return (await this.#rules.all()).map((row) => {
      const {
        version: _version,
        created_at: _created,
        updated_at: _updated,
        updated_by: _by,
        ...rule
      } = toStoredRule(row);
      return rule;
    });
  }

  /** Throws `Conflict` where the name is taken or no more rules fit into a policy. */
  async create(input: NewRule, actor: Actor): Promise<StoredRule> {
    checkWindows(input);
    const now = this.#now().toISOString();
    const row: StoredRuleRow = {
      ...input,
      id: newId(),
      is_enabled: input.is_enabled ? 1 : 0,
      classes: JSON.stringify(input.classes),
      version: 1,
      created_at: now,
      updated_at: now,
      updated_by: actor.username,
    };
    const outcome = await this.#rules.insert(row, maxRules);
    if (outcome === 'taken') throw nameTaken(input.name);
    if (outcome === 'full') throw new Conflict(`there are ${maxRules} rules already; delete one first`);
    const rule = toStoredRule(row);
    await this.#audit.record({ actor, what: 'rule.create', onWhat: `rule ${rule.id}`, after: rule });
    await this.#policies.rulesChanged();
    return rule;
  }

  /** `version`: the one the change is made upon; undefined takes whatever is there. Throws `PreconditionFailed`. */
  async update(id: RuleId, change: RuleChange, version: number | undefined, actor: Actor): Promise<StoredRule> {
    const before = await this.#find(id);
    checkVersion(before, version);
    const { is_enabled, classes, ...rest } = change;
    const values = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    checkWindows({ ...toStoredRule(before), ...values });
    const outcome = await this.#rules.update(id, before.version, {
      ...values,
      ...(is_enabled === undefined ? {} : { is_enabled: is_enabled ? 1 : 0 }),
      ...(classes === undefined ? {} : { classes: JSON.stringify(classes) }),
      updated_at: this.#now().toISOString(),
      updated_by: actor.username,
    });
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
    await this.#policies.rulesChanged();
    return after;
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
    if ((await this.#rules.delete(id, before.version)) === 'stale') throw changedMeanwhile();
    await this.#audit.record({ actor, what: 'rule.delete', onWhat: `rule ${id}`, before: toStoredRule(before) });
    await this.#policies.rulesChanged();
  }

  async #find(id: RuleId): Promise<StoredRuleRow> {
    const row = await this.#rules.find(id);
    if (row === undefined) throw new NotFound('there is no rule with this id');
    return row;
  }
}

function checkWindows(rule: { readonly min_windows: number; readonly of_windows: number }): void {
  if (rule.min_windows <= rule.of_windows) return;
  const detail = `at most of_windows (${rule.of_windows})`;
  throw new InvalidInput(`min_windows: ${detail}`, { fields: [{ pointer: '/min_windows', detail }] });
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

function toStoredRule(row: StoredRuleRow): StoredRule {
  return { ...row, is_enabled: row.is_enabled === 1, classes: JSON.parse(row.classes) as string[] } as StoredRule;
}
