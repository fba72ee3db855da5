/** The listener of the API. Closing ends idle connections at once and the others after a moment. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { listenOn } from '../config/listen-on.ts';
import type { Routes } from './route.ts';

const graceMs = 2000;

export interface HttpServer extends AsyncDisposable {
  readonly server: Server;
  /** The port that was bound. */
  readonly port: number;
  readonly url: string;
}

export async function listenHttp(app: Routes, address: { host: string; port: number }): Promise<HttpServer> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.maxHeadersCount = 100;
  await listenOn(server, address, 'http.port');
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { server, port, url: `http://${host}:${port}`, [Symbol.asyncDispose]: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
