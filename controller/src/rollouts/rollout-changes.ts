/** Every change of a rollout, whoever makes it: kept where nobody else was faster, written to the audit log, told live. */
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { RolloutId } from '@picket/shared/contract/identifiers';
import type { StoredRollout } from '@picket/shared/contract/stored-rollout';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { RolloutGatewaysTable, RolloutsTable } from '../database/rollout-tables.ts';
import { NotFound } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import type { RolloutRepository, RolloutWithGateways } from './rollout-repository.ts';
import { toStored } from './stored-rollout.ts';

export interface RolloutChangesParts {
  readonly rollouts: RolloutRepository;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly log: Pick<Logger, 'error'>;
  readonly now: () => Date;
}

const system: Actor = { username: 'system', address: null };

export class RolloutChanges {
  readonly #parts: RolloutChangesParts;

  constructor(parts: RolloutChangesParts) {
    this.#parts = parts;
  }

  /** Throws `NotFound`. */
  async get(id: RolloutId): Promise<StoredRollout> {
    return toStored(await this.find(id), (await this.#parts.rollouts.fleet()).length);
  }

  /** Throws `NotFound`. */
  async find(id: RolloutId): Promise<RolloutWithGateways> {
    const found = await this.#parts.rollouts.find(id);
    if (found === undefined) throw new NotFound('there is no rollout with this id');
    return found;
  }

  /** `what` goes into the audit log, where given. False where another controller changed the rollout since it was seen. */
  async make(
    seen: Selectable<RolloutsTable>,
    change: Partial<Pick<RolloutsTable, 'state' | 'detail' | 'wave'>>,
    rows: readonly Selectable<RolloutGatewaysTable>[],
    what?: string,
    actor: Actor = system,
  ): Promise<boolean> {
    if (!(await this.#parts.rollouts.change(seen, change, rows, this.#parts.now().toISOString()))) return false;
    const told = rows.map(({ gateway_id, state, version, detail }) => ({ gateway_id, state, version, detail }));
    if (what !== undefined)
      await this.#parts.audit.record({
        actor,
        what,
        onWhat: `rollout ${seen.id}`,
        after: { ...change, gateways: told },
      });
    if (what === 'rollout.halt' || what === 'rollout.roll-back')
      this.#parts.log.error({ rollout: seen.id, reason: change.detail }, 'a rollout of rules was stopped');
    this.#parts.live.publish('live', { type: 'rollout_changed', data: { ...(await this.get(seen.id as RolloutId)) } });
    return true;
  }
}
