/**
 * Everything that keeps and shows what the gateways saw, put together: devices, traffic, predictions, alerts, decisions,
 * rules, dashboard, and the door their events come in through. `controller.ts` mounts its routes and hands it the fleet.
 */
import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import type { Ack } from '@picket/shared/contract/envelope';
import { DeviceId, type GatewayId } from '@picket/shared/contract/identifiers';
import { AlertCountRepository } from './alerts/alert-count-repository.ts';
import { AlertFiguresService } from './alerts/alert-figures-service.ts';
import { AlertRepository } from './alerts/alert-repository.ts';
import { alertRoutes } from './alerts/alert-routes.ts';
import { AlertService } from './alerts/alert-service.ts';
import type { AuditService } from './audit/audit-service.ts';
import { DashboardRepository } from './dashboard/dashboard-repository.ts';
import { dashboardRoutes } from './dashboard/dashboard-routes.ts';
import { DashboardService } from './dashboard/dashboard-service.ts';
import type { Database } from './database/database.ts';
import type { DecisionPublisher } from './decisions/decision-publisher.ts';
import { DecisionLogRepository } from './decisions/decision-log-repository.ts';
import { DecisionRepository } from './decisions/decision-repository.ts';
import { decisionRoutes, preventionLogRoutes } from './decisions/decision-routes.ts';
import { DecisionService } from './decisions/decision-service.ts';
import { DecisionReports } from './decisions/take-decision-reports.ts';
import { ExplanationService } from './decisions/explanation-service.ts';
import { networkActionRoutes } from './decisions/network-action-routes.ts';
import { DeviceRepository } from './devices/device-repository.ts';
import { deviceRoutes } from './devices/device-routes.ts';
import { DeviceDiscovery } from './devices/device-discovery.ts';
import { DeviceService } from './devices/device-service.ts';
import type { GatewayDirectory } from './devices/gateway-directory.ts';
import type { Mount } from './http/app.ts';
import { EventIngest, type RawBatch } from './ingest/event-ingest.ts';
import { EventStores } from './ingest/event-stores.ts';
import { IngestRepository } from './ingest/ingest-repository.ts';
import { IngestService, type IngestCounters } from './ingest/ingest-service.ts';
import { RetentionRepository } from './ingest/retention-repository.ts';
import { RetentionService } from './ingest/retention-service.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { PredictionRepository } from './predictions/prediction-repository.ts';
import { predictionRoutes } from './predictions/prediction-routes.ts';
import { PredictionService } from './predictions/prediction-service.ts';
import type { PolicyPublisher } from './rules/policy-publisher.ts';
import { DryRunRepository } from './rules/dry-run-repository.ts';
import { DryRunService } from './rules/dry-run-service.ts';
import { RuleRepository } from './rules/rule-repository.ts';
import { ruleRoutes } from './rules/rule-routes.ts';
import { RuleService } from './rules/rule-service.ts';
import { RuleWebhooks } from './rules/rule-webhooks.ts';
import { FlowRepository } from './traffic/flow-repository.ts';
import { flowRoutes } from './traffic/flow-routes.ts';
import { FlowService } from './traffic/flow-service.ts';
import type { UnblockPublisher } from './unblocks/unblock-publisher.ts';
import { UnblockRepository } from './unblocks/unblock-repository.ts';
import { unblockRoutes } from './unblocks/unblock-routes.ts';
import { UnblockService } from './unblocks/unblock-service.ts';

export interface HistoryParts {
  readonly database: Database;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly log: Logger;
  readonly gateways: GatewayDirectory;
  /** The twin. */
  readonly publisher: DecisionPublisher & PolicyPublisher & UnblockPublisher;
  /** Addresses of the controller itself; by default those of this host. */
  readonly ownAddresses?: () => readonly string[];
  readonly now?: () => Date;
}

export interface History {
  readonly mounts: readonly Mount[];
  readonly devices: DeviceService;
  readonly alerts: AlertService;
  readonly decisions: DecisionService;
  /** Started and closed by the composition root. */
  readonly unblocks: UnblockService;
  readonly rules: RuleService;
  /** Started and closed by the composition root. */
  readonly retention: RetentionService;
  /** Closed by the composition root. */
  startWebhooks(): AsyncDisposable;
  /** For the message router. */
  ingestBatch(gatewayId: GatewayId, batch: RawBatch): Promise<Ack>;
  /** For the metrics, since the start. */
  readonly ingested: IngestCounters;
  /** For the live sockets. */
  deviceExists(id: string): Promise<boolean>;
}

export function createHistory(parts: HistoryParts): History {
  const { database, audit, live, log, gateways, publisher } = parts;
  const now = parts.now ?? (() => new Date());
  const flows = new FlowService(new FlowRepository(database));
  const predictions = new PredictionService(new PredictionRepository(database), flows);
  const devices = new DeviceService({
    devices: new DeviceRepository(database),
    predictions,
    gateways,
    policies: publisher,
    audit,
    now,
  });
  const decisionRows = new DecisionRepository(database);
  const decisions = new DecisionService({
    decisions: decisionRows,
    log: new DecisionLogRepository(database),
    publisher,
    gateways,
    audit,
    live,
    ownAddresses: parts.ownAddresses ?? hostAddresses,
    now,
  });
  const alerts = new AlertService({ alerts: new AlertRepository(database), decisions, audit, live, now });
  const alertFigures = new AlertFiguresService(new AlertCountRepository(database));
  const rules = new RuleService({
    rules: new RuleRepository(database),
    policies: publisher,
    audit,
    membersOf: (gateway, type) => devices.membersOf(gateway, type),
    now,
  });
  const explanations = new ExplanationService({
    decision: (id) => decisions.get(id),
    rule: (id) => rules.find(id),
    alert: (id) => alerts.find(id),
    now,
  });
  const dryRuns = new DryRunService({
    repository: new DryRunRepository(database),
    gateways,
    rulesWith: (tried, gateway) => rules.forPolicyWith(tried, gateway),
    ruleById: async (id) => rules.get(id),
    now,
  });
  const figures = new DashboardRepository(database);
  const dashboard = new DashboardService(
    { figures, alerts: alertFigures, devices, decisions, predictions, gateways },
    now,
  );
  const unblocks = new UnblockService({
    unblocks: new UnblockRepository(database),
    decisions,
    publisher,
    gateways,
    audit,
    live,
    now,
  });
  const books = new IngestRepository(database.writer);
  const stores = new EventStores({
    devices: new DeviceDiscovery(now),
    flows,
    predictions,
    alerts,
    decisions: new DecisionReports(decisionRows, now),
    unblocks,
  });
  const ingest = new IngestService({ books, stores, live }, now);
  const door = new EventIngest(ingest);
  return {
    mounts: [
      { path: '/api/v1/devices', routes: deviceRoutes(devices) },
      { path: '/api/v1/traffic', routes: flowRoutes(flows) },
      { path: '/api/v1/predictions', routes: predictionRoutes(predictions, (id) => devices.exists(id)) },
      { path: '/api/v1/alerts', routes: alertRoutes(alerts, alertFigures) },
      { path: '/api/v1/decisions', routes: decisionRoutes(decisions, explanations) },
      { path: '/api/v1/unblocks', routes: unblockRoutes(unblocks) },
      { path: '/api/v1/network', routes: networkActionRoutes(decisions) },
      { path: '/api/v1/prevention/rules', routes: ruleRoutes(rules, dryRuns) },
      { path: '/api/v1/prevention/logs', routes: preventionLogRoutes(decisions) },
      { path: '/api/v1/dashboard', routes: dashboardRoutes(dashboard, devices) },
    ],
    devices,
    alerts,
    decisions,
    unblocks,
    rules,
    retention: new RetentionService(new RetentionRepository(database), log),
    startWebhooks: () =>
      RuleWebhooks.start({
        feed: live,
        rules: () => rules.all(),
        deviceType: (id) => devices.typeOf(id),
        log,
      }),
    ingestBatch: (gatewayId, batch) => door.ingestBatch(gatewayId, batch),
    get ingested() {
      return ingest.counters;
    },
    deviceExists: async (id) => {
      const parsed = DeviceId.safeParse(id);
      return parsed.success && devices.exists(parsed.data);
    },
  };
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
