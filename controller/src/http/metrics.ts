/** Prometheus figures of this controller, on a listener of their own. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Answer } from './access-log.ts';
import { listenOn } from '../config/listen-on.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly onAnswer: (answer: Answer) => void;
}

/** A figure that is read when somebody asks; a counter only rises, and its name ends in `_total`. */
export interface Figure {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

export function createMetrics(version: string, figures: readonly Figure[]): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'picket_controller_' });
  new Gauge({
    name: 'picket_controller_build_info',
    help: 'Version in service',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  const requests = new Counter({
    name: 'picket_controller_http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'picket_controller_http_request_seconds',
    help: 'Time to answer',
    labelNames: ['method', 'route'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  for (const { kind, name, help, read } of figures) {
    registry.registerMetric(
      kind === 'gauge'
        ? new Gauge({
            name,
            help,
            registers: [],
            collect() {
              this.set(read());
            },
          })
        : new Counter({
            name,
            help,
            registers: [],
            collect() {
              this.reset();
              this.inc(read());
            },
          }),
    );
  }
  return {
    registry,
    onAnswer: ({ method, route, status, seconds: taken }) => {
      const known = knownMethods.has(method) ? method : 'other';
      requests.inc({ method: known, route, status });
      seconds.observe({ method: known, route }, taken);
    },
  };
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface MetricsServer extends AsyncDisposable {
  readonly url: string;
}

export async function listenMetrics(
  registry: Registry,
  address: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await listenOn(server, address, 'metrics.port');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${address.host}:${port}/metrics`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
