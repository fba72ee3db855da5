/**
 * Every table as Kysely types. Conventions, the same on both engines: ids, instants and JSON are text (instants RFC 3339
 * UTC with milliseconds, so that they sort), booleans are 0 or 1, counts are numbers, scores are double precision.
 * `recorded_at` is the agent's wall clock when it wrote the event to its outbox: the time axis of lists and figures.
 */
import type { AccessTables } from './access-tables.ts';
import type { AlertTables } from './alert-tables.ts';
import type { DecisionTables } from './decision-tables.ts';
import type { DeviceTables } from './device-tables.ts';
import type { FleetTables } from './fleet-tables.ts';
import type { IngestTables } from './ingest-tables.ts';
import type { ModelTables } from './model-tables.ts';
import type { PredictionTables } from './prediction-tables.ts';
import type { RolloutTables } from './rollout-tables.ts';
import type { RuleTables } from './rule-tables.ts';
import type { TrafficTables } from './traffic-tables.ts';
import type { UnblockTables } from './unblock-tables.ts';

export type Tables = AccessTables &
  AlertTables &
  DecisionTables &
  DeviceTables &
  FleetTables &
  IngestTables &
  ModelTables &
  PredictionTables &
  RolloutTables &
  RuleTables &
  TrafficTables &
  UnblockTables;
