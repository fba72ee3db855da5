/** Composition root: database → services → broker and HTTP; everything is closed in the reverse order. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createAccess, type Access } from './access/create-access.ts';
import { AuditRepository } from './audit/audit-repository.ts';
import { AuditService } from './audit/audit-service.ts';
import type { ControllerConfig } from './config/controller-config.ts';
import { listenHost } from './config/listen-host.ts';
import { writePrivateFile } from './authority/private-file.ts';
import { DataFolder } from './data-folder.ts';
import { openDatabase, type Database } from './database/database.ts';
import { Fleet } from './fleet.ts';
import { gatewayRoutes } from './gateways/gateway-routes.ts';
import { createHistory, type History } from './history.ts';
import { createApp, type Mount } from './http/app.ts';
import type { HealthCheck } from './http/health-routes.ts';
import { listenHttp } from './http/http-server.ts';
import { createMetrics, listenMetrics } from './http/metrics.ts';
import { ownHosts } from './http/own-host.ts';
import type { Routes } from './http/route.ts';
import { LiveFeed } from './live/live-feed.ts';
import { LiveSocket } from './live/live-socket.ts';
import { modelRoutes } from './models/model-routes.ts';
import { rolloutRoutes } from './rollouts/rollout-routes.ts';
import { version } from './version.ts';

/** In the data folder: where agents find the controller that served from it last. */
export const doorsFile = 'doors.json';

export interface Controller extends AsyncDisposable {
  readonly app: Routes;
  readonly database: Database;
  readonly access: Access;
  readonly audit: AuditService;
  readonly feed: LiveFeed;
  readonly fleet: Fleet;
  readonly history: History;
  /** Where the API answers. */
  readonly url: string;
  /** Undefined where metrics are off. */
  readonly metricsUrl: string | undefined;
}

export interface StartEvents {
  /** The first admin was made; `password` where it was generated: shown now or never. */
  readonly onFirstAdmin?: (username: string, password: string | undefined) => void;
}

/** Migrates, starts and resolves once every door is open. Throws `StartFailure` where one cannot be opened. */
export async function startController(
  config: ControllerConfig,
  log: Logger,
  events: StartEvents = {},
): Promise<Controller> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await DataFolder.open(config.data_dir));
  const file = join(config.data_dir, 'picket.db');
  const database = starting.use(await openDatabase({ url: config.database_url, file }));
  await database.migrate();

  const audit = new AuditService(new AuditRepository(database));
  const access = await createAccess(config, database, audit);
  const firstAdmin = await access.users.createFirstAdmin(config.admin_password);
  if (firstAdmin.created) events.onFirstAdmin?.('admin', firstAdmin.generated);

  const feed = new LiveFeed();
  const hosts = ownHosts([...chosenHost(config), ...config.public_host, ...config.allowed_hosts], config.cors_origins);

  const fleet = starting.use(await Fleet.open({ config, database, audit, live: feed, log }));
  const history = createHistory({ database, audit, live: feed, log, gateways: fleet.gateways, publisher: fleet.twin });

  const mounts: Mount[] = [
    { path: '/api/v1/auth', routes: access.routes },
    { path: '/api/v1/gateways', routes: gatewayRoutes(fleet.gateways, fleet.authority, audit) },
    { path: '/api/v1/rollouts', routes: rolloutRoutes(fleet.rollouts) },
    { path: '/api/v1/models', routes: modelRoutes(fleet.models) },
    ...history.mounts,
  ];
  const healthChecks: HealthCheck[] = [
    { name: 'database', check: () => database.ping() },
    { name: 'broker', check: async () => requireBroker(fleet) },
    { name: 'disk', check: () => folder.requireRoom() },
  ];
  const metrics = createMetrics(version, [
    { kind: 'gauge', name: 'picket_controller_live_sockets', help: 'Open live sockets', read: () => live.connections },
    {
      kind: 'counter',
      name: 'picket_controller_live_events_total',
      help: 'Live events published',
      read: () => feed.counters.published,
    },
    {
      kind: 'counter',
      name: 'picket_controller_live_dropped_total',
      help: 'Live events left out',
      read: () => feed.counters.dropped,
    },
    {
      kind: 'counter',
      name: 'picket_controller_events_stored_total',
      help: 'Events stored',
      read: () => history.ingested.stored,
    },
    {
      kind: 'gauge',
      name: 'picket_controller_gateways_connected',
      help: 'Gateways on the embedded broker',
      read: () => fleet.stats.broker?.connected ?? 0,
    },
  ]);
  const app = createApp({
    log,
    about: { version },
    hosts,
    corsOrigins: config.cors_origins,
    rateLimits: {
      requestsPerMinute: config.rate_limit.requests_per_minute,
      loginsPerMinute: config.rate_limit.logins_per_minute,
    },
    authenticator: (token) => access.sessions.authenticate(token),
    healthChecks,
    mounts,
    onAnswer: metrics.onAnswer,
  });
  const http = starting.use(
    await listenHttp(app, { host: listenHost(config.http.host, config.public_host), port: config.http.port }),
  );
  const live = starting.use(
    LiveSocket.attach(http.server, {
      feed,
      sessions: access.sessions,
      deviceExists: (id) => history.deviceExists(id),
      isOwnHost: (host) => hosts.isOwnHost(host),
      isAllowedOrigin: (origin, host) => hosts.isAllowedOrigin(origin, host),
      log,
    }),
  );

  const metricsServer = config.metrics.enabled
    ? starting.use(await listenMetrics(metrics.registry, config.metrics))
    : undefined;
  await fleet.start({
    ingest: (gateway, batch) => history.ingestBatch(gateway, batch),
    rulesFor: (gateway) => history.rules.forPolicy(gateway),
    unmonitoredBy: (gateway) => history.devices.unmonitored(gateway),
    unblocksOwedBy: (gateway) => history.unblocks.owedBy(gateway),
  });
  starting.use(history.retention.start());
  starting.use(history.startWebhooks());
  starting.use(
    history.unblocks.start((error) =>
      log.error({ err: error }, 'gateways that owe an unblock could not be asked again'),
    ),
  );
  // Not waited for: it may take long after an outage, and every gateway is told where its log stands anyway.
  const republished = history.decisions
    .republish()
    .catch((error: unknown) => log.error({ err: error }, 'unanswered decisions could not be handed on again'));
  starting.defer(async () => void (await republished));

  writePrivateFile(join(config.data_dir, doorsFile), JSON.stringify(fleet.doors));

  const running = starting.move();
  return {
    app,
    database,
    access,
    audit,
    feed,
    fleet,
    history,
    url: http.url,
    metricsUrl: metricsServer?.url,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Requests may be addressed to the address that was chosen to listen on. */
function chosenHost({ http }: ControllerConfig): readonly string[] {
  return http.host === undefined ? [] : [http.host];
}

function requireBroker(fleet: Fleet): void {
  if (!fleet.brokerConnected) throw new Error('not connected to the broker');
}
