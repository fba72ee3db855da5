/** Devices, flows, predictions, alerts, decisions, rules, and the books of ingestion. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { alerts, decisions } from './0003-alerts.ts';
import { ingest } from './0003-ingest-books.ts';
import { rules } from './0003-rules.ts';
import { devices, predictions, traffic } from './0003-traffic.ts';

export const history: Migration = {
  async up(database: Kysely<unknown>) {
    await devices(database);
    await traffic(database);
    await predictions(database);
    await alerts(database);
    await decisions(database);
    await rules(database);
    await ingest(database);
  },
};
