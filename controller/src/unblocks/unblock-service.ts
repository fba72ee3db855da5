/**
 * Fleet-wide unblock: whatever restricts an address is lifted on every gateway, known here or not, and each gateway proves
 * it by reading its kernel back. Who is away owes the answer and gives it when it returns.
 */
import type { Selectable } from 'kysely';
import { maxDecisionSeconds } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId, UnblockId } from '@picket/shared/contract/identifiers';
import type { GatewayUnblock, NewUnblock, StoredUnblock } from '@picket/shared/contract/stored-unblock';
import { UnblockProof, type UnblockOrder } from '@picket/shared/contract/unblock';
import { widestPrefix } from '@picket/shared/policy/decision-value';
import { parseUnblockValue } from '@picket/shared/policy/unblock-value';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { Executor } from '../database/executor.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { UnblockGatewaysTable, UnblocksTable } from '../database/unblock-tables.ts';
import type { DecisionService } from '../decisions/decision-service.ts';
import type { GatewayDirectory, KnownGateway } from '../devices/gateway-directory.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import { publishAll, type LiveMessage } from '../live/live-message.ts';
import type { UnblockPublisher } from './unblock-publisher.ts';
import type { UnblockRepository, UnblockWithAnswers } from './unblock-repository.ts';

export interface UnblockServiceParts {
  readonly unblocks: UnblockRepository;
  readonly decisions: Pick<DecisionService, 'restricting' | 'liftThese'>;
  readonly publisher: UnblockPublisher;
  readonly gateways: GatewayDirectory;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly now?: () => Date;
}

const askAgainEveryMs = 30_000;

export class UnblockService implements AsyncDisposable {
  readonly #parts: UnblockServiceParts;
  readonly #now: () => Date;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();

  constructor(parts: UnblockServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Asks gateways that are there again until they answered. */
  start(onFailure: (error: unknown) => void): this {
    this.#timer = setInterval(() => {
      this.#asking = this.askAgain().catch(onFailure);
    }, askAgainEveryMs);
    this.#timer.unref();
    return this;
  }

  async list(page: RowsWanted): Promise<Keyed<StoredUnblock>[]> {
    const rows = await this.#parts.unblocks.list(page);
    return rows.map((row) => ({ key: [row.unblock.asked_at, row.unblock.id], item: toStored(row) }));
  }

  /** Throws `NotFound`. */
  async get(id: UnblockId): Promise<StoredUnblock> {
    const [row] = await this.#parts.unblocks.byIds([id]);
    if (row === undefined) throw new NotFound('there is no unblock with this id');
    return toStored(row);
  }

  /** Throws `InvalidInput` for a value that is none or too wide, `Conflict` where no gateway is enrolled. */
  async ask(input: NewUnblock, actor: Actor): Promise<StoredUnblock> {
    const parsed = parseUnblockValue(input.value);
    if (!parsed.ok) throw refusedField('/value', parsed.reason);
    if (parsed.wanted.kind === 'network') {
      const { family, length } = parsed.wanted.prefix;
      if (length < widestPrefix[family])
        throw refusedField('/value', `/${length} is too wide: no decision is wider than /${widestPrefix[family]}`);
    }
    const targets = await this.#targets(input.gateways);
    const row: Selectable<UnblocksTable> = {
      id: newId(),
      value: parsed.value,
      include_prefixes: input.include_prefixes ? 1 : 0,
      reason: input.reason,
      asked_by: actor.username,
      asked_at: this.#now().toISOString(),
    };
    await this.#parts.unblocks.insert(
      row,
      targets.map(({ id }) => id),
    );
    await this.#parts.audit.record({ actor, what: 'unblock.ask', onWhat: `unblock ${row.id}`, after: row });
    const only = input.gateways === undefined ? undefined : new Set<string>(targets.map(({ id }) => id));
    const { include_prefixes: includePrefixes } = input;
    const known = await this.#parts.decisions.restricting(parsed.wanted, { includePrefixes, only });
    // First the gateways, so that each proof names what was lifted; then the log, so that no snapshot brings it back.
    for (const { id } of targets) await this.#parts.publisher.unblocksChanged(id);
    await this.#parts.decisions.liftThese(known, actor);
    const asked = await this.get(row.id as UnblockId);
    publishAll(this.#parts.live, [message(asked)]);
    return asked;
  }

  /** What this gateway owes the proof of: later ones are worth nothing, for every decision of that time has ended. */
  async owedBy(gateway: GatewayId): Promise<UnblockOrder[]> {
    const rows = await this.#parts.unblocks.owedBy(gateway, this.#oldest());
    return rows.map((row) => ({
      id: row.id as UnblockId,
      value: row.value,
      include_prefixes: row.include_prefixes === 1,
      asked_at: row.asked_at,
    }));
  }

  async askAgain(): Promise<void> {
    for (const gateway of await this.#parts.unblocks.owingOnline(this.#oldest()))
      await this.#parts.publisher.unblocksChanged(gateway as GatewayId);
  }

  /** Ingestion, in the batch's transaction. Returns what is to be told live after its commit. */
  async store(executor: Executor, gatewayId: GatewayId, proofs: readonly UnblockProof[]): Promise<LiveMessage[]> {
    if (proofs.length === 0) return [];
    const answers = new Map<string, Selectable<UnblockGatewaysTable>>();
    for (const proof of proofs)
      answers.set(proof.unblock_id, {
        unblock_id: proof.unblock_id,
        gateway_id: gatewayId,
        state: proof.outcome,
        at: new Date(proof.at).toISOString(),
        proof: JSON.stringify(proof),
      });
    await this.#parts.unblocks.answer(executor, gatewayId, [...answers.values()]);
    const changed = await this.#parts.unblocks.byIds([...answers.keys()], executor);
    return changed.map((row) => message(toStored(row)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#asking;
  }

  #oldest(): string {
    return new Date(this.#now().getTime() - maxDecisionSeconds * 1000).toISOString();
  }

  async #targets(wanted: readonly GatewayId[] | undefined): Promise<readonly KnownGateway[]> {
    const enrolled = await this.#parts.gateways.enrolled();
    if (enrolled.length === 0) throw new Conflict('no gateway is enrolled that could hold anything');
    if (wanted === undefined) return enrolled;
    return [...new Set(wanted)].map((id) => {
      const gateway = enrolled.find((known) => known.id === id);
      if (gateway === undefined) throw refusedField('/gateways', `no gateway ${id} is enrolled`);
      return gateway;
    });
  }
}

function message(unblock: StoredUnblock): LiveMessage {
  return { channels: ['alerts'], event: { type: 'unblock_changed', data: { ...unblock } } };
}

function toStored({ unblock, answers }: UnblockWithAnswers): StoredUnblock {
  const gateways = answers.map(toAnswer);
  const owing = gateways.filter(({ state }) => state === 'owing' || state === 'failed').length;
  return {
    ...unblock,
    id: unblock.id as UnblockId,
    include_prefixes: unblock.include_prefixes === 1,
    done: owing === 0,
    owing,
    gateways,
  };
}

function toAnswer({ gateway_id, state, at, proof }: Selectable<UnblockGatewaysTable>): GatewayUnblock {
  const told = proof === null ? undefined : UnblockProof.parse(JSON.parse(proof));
  return {
    gateway_id: gateway_id as GatewayId,
    state: state as GatewayUnblock['state'],
    at,
    removed: told?.removed ?? [],
    removed_count: told?.removed_count ?? 0,
    still_held: told?.still_held ?? [],
    detail: told?.detail ?? null,
  };
}

function refusedField(pointer: string, detail: string): InvalidInput {
  return new InvalidInput(`${pointer.slice(1)}: ${detail}`, { fields: [{ pointer, detail }] });
}
