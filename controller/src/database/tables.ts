/**
 * Every table as Kysely types. Conventions, the same on both engines: ids, instants and JSON are text (instants RFC 3339
 * UTC with milliseconds, so that they sort), booleans are 0 or 1, counts are numbers, scores are double precision.
 */
import type { AccessTables } from './access-tables.ts';
import type { FleetTables } from './fleet-tables.ts';
import type { HistoryTables } from './history-tables.ts';
import type { ModelTables } from './model-tables.ts';
import type { RolloutTables } from './rollout-tables.ts';
import type { UnblockTables } from './unblock-tables.ts';

export type Tables = AccessTables & FleetTables & HistoryTables & ModelTables & RolloutTables & UnblockTables;
