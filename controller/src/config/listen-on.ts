/** A server that binds the address of a setting, or says which setting to change and by which option. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { StartFailure, exitCodes } from '../errors.ts';

/** Settings of ports, and the options of `serve` and of `npm start` that set them. */
const portOptions = {
  'http.port': '--port',
  'agents_https.port': '--agents-port',
  'mqtt.port': '--mqtt-port',
  'metrics.port': undefined,
} as const;

/** Throws a `StartFailure` that names the setting where the address cannot be bound. */
export async function listenOn(
  server: Server,
  address: { readonly host: string; readonly port: number },
  setting: keyof typeof portOptions,
): Promise<void> {
  server.listen({ host: address.host, port: address.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const where = `${address.host}:${address.port}`;
    const option = portOptions[setting];
    const named = option === undefined ? setting : `${setting} (${option})`;
    const host = setting.replace(/port$/, 'host');
    const texts: Record<string, string> = {
      EADDRINUSE: `${where} is taken by another program; end it or set ${named} to a free port`,
      EACCES: `${where} needs rights that this user lacks; set ${named} to a port from 1024 on`,
      EADDRNOTAVAIL: `${where} is not an address of this machine; mend ${host}`,
      ENOTFOUND: `${where} is not a host that is known here; mend ${host}`,
    };
    const exitCode = code === 'EACCES' ? exitCodes.permission : exitCodes.unavailable;
    throw new StartFailure(texts[code ?? ''] ?? `cannot listen on ${where}: ${String(error)}`, exitCode, {
      cause: error,
    });
  }
}
