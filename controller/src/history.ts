/**
 * What the SOC works with, put together: devices, flows, predictions, alerts, decisions, rules and the figures over them.
 * `controller.ts` gives it the fleet's services and takes its routes.
 */
import { AlertRepository } from './alerts/alert-repository.ts';
import { alertRoutes } from './alerts/alert-routes.ts';
import { AlertService } from './alerts/alert-service.ts';
import type { AuditService } from './audit/audit-service.ts';
import { DashboardRepository } from './dashboard/dashboard-repository.ts';
import { dashboardRoutes } from './dashboard/dashboard-routes.ts';
import { DashboardService } from './dashboard/dashboard-service.ts';
import type { Database } from './database/database.ts';
import type { DecisionPublisher } from './decisions/decision-publisher.ts';
import { DecisionRepository } from './decisions/decision-repository.ts';
import { decisionRoutes, preventionLogRoutes } from './decisions/decision-routes.ts';
import { DecisionService } from './decisions/decision-service.ts';
import { networkActionRoutes } from './decisions/network-action-routes.ts';
import { DeviceRepository } from './devices/device-repository.ts';
import { deviceRoutes } from './devices/device-routes.ts';
import { DeviceService } from './devices/device-service.ts';
import type { GatewayDirectory } from './devices/gateway-directory.ts';
import type { Mount } from './http/app.ts';
import { EventIngest } from './ingest/event-ingest.ts';
import { IngestRepository } from './ingest/ingest-repository.ts';
import { IngestService } from './ingest/ingest-service.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { PredictionRepository } from './predictions/prediction-repository.ts';
import { predictionRoutes } from './predictions/prediction-routes.ts';
import { PredictionService } from './predictions/prediction-service.ts';
import type { PolicyPublisher } from './rules/policy-publisher.ts';
import { RuleRepository } from './rules/rule-repository.ts';
import { ruleRoutes } from './rules/rule-routes.ts';
import { RuleService } from './rules/rule-service.ts';
import { FlowRepository } from './traffic/flow-repository.ts';
import { flowRoutes } from './traffic/flow-routes.ts';
import { FlowService } from './traffic/flow-service.ts';

export interface HistoryOptions {
  readonly database: Database;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly publisher: DecisionPublisher;
  readonly policies: PolicyPublisher;
  readonly gateways: GatewayDirectory;
  /** The controller's own addresses: never a target of a decision. */
  readonly ownAddresses: () => readonly string[];
}

export interface History {
  readonly devices: DeviceService;
  readonly alerts: AlertService;
  readonly rules: RuleService;
  readonly ingestService: IngestService;
  readonly ingest: EventIngest;
  readonly mounts: readonly Mount[];
}

export function createHistory(options: HistoryOptions): History {
  const { database, audit, live, publisher, policies, gateways, ownAddresses } = options;
  const flows = new FlowService(new FlowRepository(database));
  const predictions = new PredictionService(new PredictionRepository(database), flows);
  const devices = new DeviceService({
    devices: new DeviceRepository(database),
    predictions,
    gateways,
    policies,
    audit,
  });
  const decisions = new DecisionService({
    decisions: new DecisionRepository(database),
    publisher,
    gateways,
    audit,
    live,
    ownAddresses,
  });
  const alerts = new AlertService({ alerts: new AlertRepository(database), decisions, audit, live });
  const rules = new RuleService({ rules: new RuleRepository(database), policies, audit });
  const dashboard = new DashboardService({
    figures: new DashboardRepository(database),
    alerts,
    devices,
    decisions,
    predictions,
    gateways,
  });
  const books = new IngestRepository(database.writer);
  const ingestService = new IngestService({ books, devices, flows, predictions, alerts, decisions, live });
  return {
    devices,
    alerts,
    rules,
    ingestService,
    ingest: new EventIngest(ingestService),
    mounts: [
      { path: '/api/v1/devices', routes: deviceRoutes(devices) },
      { path: '/api/v1/traffic', routes: flowRoutes(flows) },
      { path: '/api/v1/predictions', routes: predictionRoutes(predictions) },
      { path: '/api/v1/alerts', routes: alertRoutes(alerts) },
      { path: '/api/v1/decisions', routes: decisionRoutes(decisions) },
      { path: '/api/v1/network', routes: networkActionRoutes(decisions) },
      { path: '/api/v1/prevention/rules', routes: ruleRoutes(rules) },
      { path: '/api/v1/prevention/logs', routes: preventionLogRoutes(decisions) },
      { path: '/api/v1/dashboard', routes: dashboardRoutes(dashboard, devices) },
    ],
  };
}
