/** The history on an open database, with gateways in memory and a clock that the test sets. */
import { pino } from 'pino';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { LiveEvent } from '@picket/shared/contract/live-event';
import type { Ack } from '@picket/shared/contract/envelope';
import type { EventChannel } from '@picket/shared/contract/topics';
import { AuditRepository } from '../audit/audit-repository.ts';
import { AuditService } from '../audit/audit-service.ts';
import { openDatabase, type Database, type DatabaseOptions } from '../database/database.ts';
import { createHistory, type History } from '../history.ts';
import { LiveFeed, type LiveChannel } from '../live/live-feed.ts';
import { MemoryFleet } from './memory-fleet.ts';
import { sampleBatch } from './sample-events.ts';

export interface TestHistory extends AsyncDisposable {
  readonly database: Database;
  readonly history: History;
  readonly fleet: MemoryFleet;
  readonly clock: { now: Date };
  /** What subscribers of this channel have heard since the start. */
  heard(channel: LiveChannel): LiveEvent[];
  /** Sends the bodies as one batch of the gateway `edge-1`. */
  ingest(channel: EventChannel, bodies: readonly EventBody[], fromSeq?: number): Promise<Ack>;
}

export const edge1 = 'edge-1' as GatewayId;

export async function openTestHistory(options: DatabaseOptions): Promise<TestHistory> {
  const database = await openDatabase(options);
  await database.migrate();
  const clock = { now: new Date('2026-11-21T08:10:00.000Z') };
  const fleet = new MemoryFleet('edge-1', 'edge-2');
  const live = new LiveFeed();
  const events = new Map<LiveChannel, LiveEvent[]>();
  const listen = (channel: LiveChannel): LiveEvent[] => {
    const heard: LiveEvent[] = [];
    events.set(channel, heard);
    live.subscribe(channel, (text) => {
      heard.push(JSON.parse(text) as LiveEvent);
      return 'taken';
    });
    return heard;
  };
  listen('live');
  listen('alerts');
  const history = createHistory({
    database,
    audit: new AuditService(new AuditRepository(database)),
    live,
    log: pino({ level: 'silent' }),
    gateways: fleet,
    publisher: fleet,
    ownAddresses: () => ['198.51.100.1'],
    now: () => clock.now,
  });
  return {
    database,
    history,
    fleet,
    clock,
    heard: (channel) => events.get(channel) ?? listen(channel),
    ingest: (channel, bodies, fromSeq) => history.ingestBatch(edge1, sampleBatch(channel, bodies, fromSeq)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
