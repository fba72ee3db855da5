/** All migrations in the order in which they run. A published one never changes; a new one is added below. */
import type { Migration } from 'kysely/migration';
import { access } from './migrations/0001-access.ts';
import { fleet } from './migrations/0002-fleet.ts';
import { history } from './migrations/0003-history.ts';
import { models } from './migrations/0004-models.ts';
import { rules } from './migrations/0005-rules.ts';
import { rollouts } from './migrations/0007-rollouts.ts';
import { relayedFlows } from './migrations/0008-relayed-flows.ts';
import { lowestThresholds } from './migrations/0009-lowest-threshold.ts';
import { lastingRules } from './migrations/0010-lasting-rules.ts';
import { plainAlerts } from './migrations/0011-plain-alerts.ts';
import { alertReturns } from './migrations/0012-alert-returns.ts';
import { raisedAlerts } from './migrations/0013-raised-alerts.ts';
import { raisedClock } from './migrations/0014-raised-clock.ts';
import { unblocks } from './migrations/0006-unblocks.ts';

export const migrations: Record<string, Migration> = {
  '0001-access': access,
  '0002-fleet': fleet,
  '0003-history': history,
  '0004-models': models,
  '0005-rules': rules,
  '0006-unblocks': unblocks,
  '0007-rollouts': rollouts,
  '0008-relayed-flows': relayedFlows,
  '0009-lowest-threshold': lowestThresholds,
  '0010-lasting-rules': lastingRules,
  '0011-plain-alerts': plainAlerts,
  '0012-alert-returns': alertReturns,
  '0013-raised-alerts': raisedAlerts,
  '0014-raised-clock': raisedClock,
};
