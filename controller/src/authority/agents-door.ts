/**
 * The agents' HTTPS door: enrolment, certificates, signed snapshots and model bundles, under the controller's own CA. People have no
 * business here and agents have none at the API: two listeners, two sets of credentials.
 */
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { rateLimiter } from 'hono-rate-limiter';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { EnrolRequest, RenewalRequest } from '@picket/shared/contract/gateway';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { identifyPeer } from '../broker/peer-identity.ts';
import {
  BadRequest,
  Forbidden,
  InvalidInput,
  NotFound,
  PayloadTooLarge,
  TooManyRequests,
  Unauthorized,
} from '../errors.ts';
import { listenOn } from '../config/listen-on.ts';
import { answerError } from '../http/problem-details.ts';
import { identifyRequest } from '../http/request-context.ts';
import type { RequestContext } from '../http/request-context.ts';
import type { AuthorityService } from './authority-service.ts';
import type { ServerIdentity } from './server-identity.ts';

export interface AgentsDoorOptions {
  /** Address to listen on; port 0 picks a free one. */
  readonly host: string;
  readonly port: number;
  readonly identity: ServerIdentity;
  readonly authority: AuthorityService;
  /** The signed snapshot of all decisions for a gateway, compact JWS. */
  readonly decisionsSnapshot: (gateway: GatewayId) => Promise<string>;
  /** One file of a model bundle; rejects with `NotFound`. */
  readonly bundleFile: (manifestSha256: string, name: string) => Promise<Uint8Array>;
  readonly log: Logger;
}

const maxBodyBytes = 32 * 1024;
/** Per address: what a site with many gateways behind one address needs, and no more. */
const requestsPerMinute = 600;

type DoorContext = Context<RequestContext>;

export class AgentsDoor implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Throws `StartFailure` where the port is taken. */
  static async listen(options: AgentsDoorOptions): Promise<AgentsDoor> {
    const listener = getRequestListener(doorApp(options).fetch);
    const { key, certificate } = options.identity.server;
    const server = createServer(
      {
        key,
        cert: certificate,
        ca: options.authority.caCertificate,
        requestCert: true, // asked of all; who enrols has none yet, so each route decides
        rejectUnauthorized: false,
        minVersion: 'TLSv1.3',
        handshakeTimeout: 10_000,
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        keepAliveTimeout: 5_000,
      },
      (request, response) => void listener(request, response),
    );
    server.maxConnections = 2000;
    server.on('tlsClientError', () => {}); // scanners and strangers; nothing to tell an operator
    const door = new AgentsDoor(server);
    options.identity.onServerChange((fresh) =>
      server.setSecureContext({ key: fresh.key, cert: fresh.certificate, ca: options.authority.caCertificate }),
    );
    await listenOn(server, options, 'agents_https.port');
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function doorApp(options: AgentsDoorOptions): Hono<RequestContext> {
  const { authority } = options;
  const app = new Hono<RequestContext>();
  app.use(identifyRequest(options.log));
  app.use(
    rateLimiter<RequestContext>({
      windowMs: 60_000,
      limit: requestsPerMinute,
      keyGenerator: (context) => context.var.address,
      handler: () => {
        throw new TooManyRequests('too many requests from this address', { retryAfter: 60 });
      },
    }),
  );
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new PayloadTooLarge(`at most ${maxBodyBytes} bytes`);
      },
    }),
  );
  app.get('/ca.pem', (context) =>
    context.text(authority.caCertificate, 200, { 'content-type': 'application/pem-certificate-chain' }),
  );
  app.post('/api/v1/enrol', async (context) =>
    context.json(await authority.enrol(await readBody(context, EnrolRequest)), 201),
  );
  app.post('/api/v1/agent/certificate', async (context) => {
    const gateway = await gatewayOf(context, authority);
    const { csr } = await readBody(context, RenewalRequest);
    return context.json(await authority.renew(gateway, csr), 201);
  });
  app.get('/api/v1/agent/decisions', async (context) => {
    const jws = await options.decisionsSnapshot(await gatewayOf(context, authority));
    return context.body(jws, 200, { 'content-type': 'application/jose', 'cache-control': 'no-store' });
  });
  // a gateway proves to itself that a new connection comes through: the number it sends is what it wants to hear
  app.get('/api/v1/agent/proof/:nonce{[0-9a-f-]{36}}', async (context) => {
    await gatewayOf(context, authority);
    return context.text(context.req.param('nonce'), 200, { 'cache-control': 'no-store' });
  });
  app.get('/api/v1/agent/bundles/:manifest{[0-9a-f]{64}}/:name{[a-z][a-z.-]{0,99}}', async (context) => {
    await gatewayOf(context, authority);
    const { manifest, name } = context.req.param();
    const bytes = await options.bundleFile(manifest, name);
    return context.body(Uint8Array.from(bytes), 200, {
      'content-type': 'application/octet-stream',
      'cache-control': 'private, immutable',
    });
  });
  app.notFound(() => {
    throw new NotFound('this door is for agents: enrolment, certificates, snapshots and bundles; people use the API');
  });
  app.onError((error, context) => answerError(error, context));
  return app;
}

/** The gateway at the other end, by its certificate. Throws `Unauthorized` or `Forbidden`. */
async function gatewayOf(context: DoorContext, authority: AuthorityService): Promise<GatewayId> {
  const socket = (context.env as HttpBindings).incoming.socket;
  const peer = socket instanceof TLSSocket ? identifyPeer(socket) : undefined;
  if (peer?.kind !== 'gateway') throw new Unauthorized('show the client certificate that you got at enrolment');
  const standing = await authority.standing(peer.id, peer.serial);
  if (standing !== 'good')
    throw new Forbidden(`the certificate of ${peer.id} is ${standing}; enrol the gateway again with a new token`);
  return peer.id;
}

async function readBody<T>(context: DoorContext, schema: z.ZodType<T>): Promise<T> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch (error) {
    if (error instanceof PayloadTooLarge) throw error;
    throw new BadRequest('the body is not JSON', { cause: error });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    pointer: `/${issue.path.join('/')}`,
    detail: issue.message,
  }));
  throw new InvalidInput(fields.map((field) => `${field.pointer}: ${field.detail}`).join('; '), { fields });
}
