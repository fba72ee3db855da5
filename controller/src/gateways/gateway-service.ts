/** Gateways: who is there, what is wanted of each, what each says of itself. */
import type { Selectable } from 'kysely';
import { Health } from '@picket/shared/contract/gateway';
import type { Presence } from '@picket/shared/contract/gateway';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { Reported } from '@picket/shared/contract/twin';
import type { Policy } from '@picket/shared/contract/twin';
import type { GatewayChange, HealthMinute, StoredGateway } from '@picket/shared/contract/stored-gateway';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { AuthorityService } from '../authority/authority-service.ts';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import type { GatewayDirectory, KnownGateway } from '../devices/gateway-directory.ts';
import { NotFound, PreconditionFailed } from '../errors.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import type { GatewayFilter, GatewayRepository, GatewayRow } from './gateway-repository.ts';
import { guardedOf, toStoredGateway, unmonitoredOf } from './stored-gateway.ts';

export interface GatewayServiceParts {
  readonly gateways: GatewayRepository;
  readonly authority: Pick<AuthorityService, 'revoke'>;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  /** What is wanted of this gateway changed. */
  readonly onSettingsChanged: (gateway: GatewayId) => Promise<void>;
  /** It connected and hears us. */
  readonly onOnline: (gateway: GatewayId) => Promise<void>;
  /** It said where it stands. Must not throw. */
  readonly onReported: () => void;
  readonly now?: () => Date;
}

export class GatewayService implements GatewayDirectory {
  readonly #parts: GatewayServiceParts;
  readonly #now: () => Date;

  constructor(parts: GatewayServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Up to `limit + 1` of them, by id. */
  async list(filter: GatewayFilter, page: RowsWanted): Promise<readonly Keyed<StoredGateway>[]> {
    const rows = await this.#parts.gateways.list(filter, page.limit + 1, page.offset, page.after?.[0]);
    return rows.map((row) => ({ key: [row.id], item: toStoredGateway(row) }));
  }

  /** Throws `NotFound`. */
  async get(id: GatewayId): Promise<StoredGateway> {
    return toStoredGateway(await this.#row(id));
  }

  /** Newest first, at most one day. */
  async healthHistory(id: GatewayId, minutes: number): Promise<HealthMinute[]> {
    await this.#row(id);
    const rows = await this.#parts.gateways.healthHistory(id, minutes);
    return rows.map((row) => ({ minute: row.minute, health: Health.parse(JSON.parse(row.health)) }));
  }

  /** Throws `NotFound`, and `PreconditionFailed` where it is no longer as at `seenAt` (its `updated_at`). */
  async change(id: GatewayId, change: GatewayChange, seenAt: string | undefined, actor: Actor): Promise<StoredGateway> {
    const before = await this.get(id);
    const { labels, guard, ...scalars } = change;
    const changed = await this.#parts.gateways.update(
      id,
      {
        ...withoutUndefined(scalars),
        ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
        ...(guard === undefined ? {} : { guard: JSON.stringify(guard satisfies Policy['guard']) }),
      },
      this.#now().toISOString(),
      seenAt,
    );
    if (!changed && before.status === 'revoked') throw new NotFound(`the gateway ${id} is revoked`);
    if (!changed) throw new PreconditionFailed('the gateway was changed meanwhile; read it again');
    const after = await this.get(id);
    await this.#parts.audit.record({
      actor,
      what: 'gateway.update',
      onWhat: `gateway ${id}`,
      before: settingsOf(before),
      after: settingsOf(after),
    });
    await this.#parts.onSettingsChanged(id);
    return after;
  }

  /** Ends the gateway's right to speak; its live connection is dropped at once. Throws `NotFound`. */
  async revoke(id: GatewayId, actor: Actor): Promise<void> {
    await this.#parts.authority.revoke(id, actor.username);
    await this.#parts.audit.record({ actor, what: 'gateway.revoke', onWhat: `gateway ${id}` });
    await this.#announce(id);
  }

  async takePresence(id: GatewayId, presence: Presence): Promise<void> {
    const changed = await this.#parts.gateways.setPresence(id, {
      online: presence.online,
      bootId: presence.boot_id,
      at: new Date(presence.at).toISOString(),
      agentVersion: presence.agent_version,
      protocol: presence.protocol,
      now: this.#now().toISOString(),
    });
    if (!changed) return;
    if (presence.online) await this.#parts.onOnline(id);
    await this.#announce(id);
  }

  async takeHealth(id: GatewayId, health: Health): Promise<void> {
    await this.#parts.gateways.setHealth(id, JSON.stringify(health), this.#now().toISOString());
  }

  async takeReported(id: GatewayId, reported: Reported): Promise<void> {
    await this.#parts.gateways.setReported(id, JSON.stringify(reported), this.#now().toISOString());
    this.#parts.onReported();
    await this.#announce(id);
  }

  async takeLinkAddress(id: GatewayId, address: string): Promise<void> {
    await this.#parts.gateways.setLinkAddress(id, address.replace(/^::ffff:/, ''));
  }

  async setAllOffline(): Promise<void> {
    await this.#parts.gateways.setAllOffline(this.#now().toISOString());
  }

  async enrolled(): Promise<readonly KnownGateway[]> {
    return (await this.#parts.gateways.enrolled()).map(toKnownGateway);
  }

  async #row(id: GatewayId): Promise<GatewayRow> {
    const row = await this.#parts.gateways.find(id);
    if (row === undefined) throw new NotFound(`there is no gateway ${id}`);
    return row;
  }

  async #announce(id: GatewayId): Promise<void> {
    const row = await this.#parts.gateways.find(id);
    if (row !== undefined)
      this.#parts.live.publish('live', { type: 'gateway_status', data: { ...toStoredGateway(row) } });
  }
}

function toKnownGateway(row: Selectable<GatewaysTable>): KnownGateway {
  const guarded = guardedOf(row);
  const local = row.link_address === null || row.link_address === '::1' || row.link_address.startsWith('127.');
  return {
    id: row.id as GatewayId,
    online: row.online === 1,
    addresses: [...new Set([...(local || row.link_address === null ? [] : [row.link_address]), ...guarded.own])],
    defaultRoutes: guarded.default_routes,
    broadcasts: guarded.broadcasts ?? [],
    guard: JSON.parse(row.guard) as Policy['guard'],
    protocol: row.protocol,
    unmonitored: unmonitoredOf(row),
  };
}

function settingsOf(gateway: StoredGateway): object {
  const { labels, mode, threshold, guard, benign_sample } = gateway;
  return { labels, mode, threshold, guard, benign_sample };
}

function withoutUndefined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
