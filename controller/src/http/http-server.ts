/** The listener of the API. Closing ends idle connections at once and the others after a moment. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { StartFailure, exitCodes } from '../errors.ts';
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
  await listen(server, address, 'http.port');
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { server, port, url: `http://${host}:${port}`, [Symbol.asyncDispose]: () => close(server) };
}

/** Binds, or throws a `StartFailure` that names the setting. */
export async function listen(
  server: Pick<Server, 'listen' | 'once' | 'off'> & NodeJS.EventEmitter,
  address: { host: string; port: number },
  setting: string,
): Promise<void> {
  server.listen({ host: address.host, port: address.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const where = `${address.host}:${address.port}`;
    const texts: Record<string, string> = {
      EADDRINUSE: `${where} is taken by another program; end it or set ${setting} to a free port`,
      EACCES: `${where} needs rights that this user lacks; set ${setting} to a port from 1024 on`,
      EADDRNOTAVAIL: `${where} is not an address of this machine; mend ${setting.replace(/port$/, 'host')}`,
      ENOTFOUND: `${where} is not a host that is known here; mend ${setting.replace(/port$/, 'host')}`,
    };
    const exitCode = code === 'EACCES' ? exitCodes.permission : exitCodes.unavailable;
    throw new StartFailure(texts[code ?? ''] ?? `cannot listen on ${where}: ${String(error)}`, exitCode, {
      cause: error,
    });
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
