/**
 * The WebSockets `/ws/live`, `/ws/alerts` and `/ws/device/{id}`: opened with a one-time ticket, server to client only,
 * closed when the session behind them ends. Close codes: 4401 ticket or session not good, 4403 foreign origin,
 * 4404 no such channel or device, 4408 no answer to a ping.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LiveChannel, LiveFeed } from './live-feed.ts';

/** What the sockets must know of people: given by `access`. */
export interface LiveSessions {
  /** The session behind a ticket, which is used up by this. */
  redeemTicket(ticket: string): Promise<string | undefined>;
  isOpen(sessionId: string): Promise<boolean>;
  onEnd(listener: (sessionId: string) => void): () => void;
}

export interface LiveSocketOptions {
  readonly feed: LiveFeed;
  readonly sessions: LiveSessions;
  /** Whether `/ws/device/{id}` has a device behind it. */
  readonly deviceExists: (id: string) => Promise<boolean>;
  /** Whether a request may be addressed to this host. */
  readonly isOwnHost: (host: string | undefined) => boolean;
  /** Whether a page of this origin may open a socket; a client that is no browser sends none. */
  readonly isAllowedOrigin: (origin: string, host: string | undefined) => boolean;
  readonly log: Logger;
  /** Milliseconds between pings, and between looks at whether the sessions still live. */
  readonly heartbeatMs?: number;
  /** Bytes a socket may owe its client before events are left out. */
  readonly maxBufferedBytes?: number;
}

export const closeCodes = {
  unauthorized: 4401,
  forbidden: 4403,
  notFound: 4404,
  timedOut: 4408,
  goingAway: 1001,
} as const;

const maxSockets = 2000;
const maxMessageBytes = 64 * 1024;
const closeGraceMs = 1000;

interface Connection {
  sessionId: string | undefined;
  isAlive: boolean;
  unsubscribe: () => void;
}

export class LiveSocket implements AsyncDisposable {
  readonly #options: LiveSocketOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  readonly #connections = new Map<WebSocket, Connection>();
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#upgrade(request, socket, head);
  };
  #heartbeat: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => {};

  private constructor(server: Server, options: LiveSocketOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Takes over the upgrade requests of `server`. */
  static attach(server: Server, options: LiveSocketOptions): LiveSocket {
    const live = new LiveSocket(server, options);
    server.on('upgrade', live.#onUpgrade);
    live.#stopListening = options.sessions.onEnd((sessionId) => live.#endSession(sessionId));
    live.#heartbeat = setInterval(() => void live.#beat(), options.heartbeatMs ?? 15_000);
    live.#heartbeat.unref();
    return live;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#stopListening();
    this.#server.off('upgrade', this.#onUpgrade);
    const timer = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.terminate();
    }, closeGraceMs);
    const closed = [...this.#connections.keys()].map((socket) => new Promise((done) => socket.once('close', done)));
    for (const socket of this.#connections.keys()) socket.close(closeCodes.goingAway, 'the controller ends');
    await Promise.all(closed);
    clearTimeout(timer);
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy()); // a reset in the middle of the handshake
    const target = request.url ?? '';
    // `//host/ws` would be read as another host by a URL parser.
    if (!target.startsWith('/') || target.startsWith('//')) return refuse(socket, '400 Bad Request');
    if (!this.#options.isOwnHost(request.headers.host)) return refuse(socket, '421 Misdirected Request');
    if (this.#connections.size >= maxSockets) return refuse(socket, '503 Service Unavailable');
    const url = new URL(target, 'http://localhost');
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      const connection: Connection = { sessionId: undefined, isAlive: true, unsubscribe: () => {} };
      this.#connections.set(opened, connection);
      opened.on('error', () => opened.terminate());
      opened.on('pong', () => (connection.isAlive = true));
      opened.on('close', () => {
        connection.unsubscribe();
        this.#connections.delete(opened);
      });
      this.#admit(opened, connection, request, url).catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'a live socket could not be opened');
        opened.close(1011, 'try again');
      });
    });
  }

  async #admit(socket: WebSocket, connection: Connection, request: IncomingMessage, url: URL): Promise<void> {
    const { feed, sessions, isAllowedOrigin, deviceExists } = this.#options;
    const origin = request.headers.origin;
    if (origin !== undefined && !isAllowedOrigin(origin, request.headers.host)) {
      return socket.close(closeCodes.forbidden, 'this page may not listen here');
    }
    const channel = channelOf(url.pathname);
    if (channel === undefined) return socket.close(closeCodes.notFound, 'no such channel');
    const ticket = url.searchParams.get('ticket') ?? '';
    connection.sessionId = await sessions.redeemTicket(ticket);
    if (connection.sessionId === undefined) {
      return socket.close(closeCodes.unauthorized, 'the ticket is not good; ask for another');
    }
    if (channel.startsWith('device:') && !(await deviceExists(channel.slice('device:'.length)))) {
      return socket.close(closeCodes.notFound, 'no such device');
    }
    if (socket.readyState !== socket.OPEN) return;
    const maxBuffered = this.#options.maxBufferedBytes ?? 1024 * 1024;
    connection.unsubscribe = feed.subscribe(channel, (text) => {
      if (socket.bufferedAmount > maxBuffered) return 'full';
      socket.send(text);
      return 'taken';
    });
    // The session may have ended while we looked for the device.
    if (!(await sessions.isOpen(connection.sessionId))) socket.close(closeCodes.unauthorized, 'the session is over');
  }

  #endSession(sessionId: string): void {
    for (const [socket, connection] of this.#connections) {
      if (connection.sessionId === sessionId) socket.close(closeCodes.unauthorized, 'the session is over');
    }
  }

  /** Pings everybody; looks after sessions that another controller may have ended. */
  async #beat(): Promise<void> {
    const sessionIds = new Set<string>();
    for (const [socket, connection] of this.#connections) {
      if (!connection.isAlive) {
        socket.close(closeCodes.timedOut, 'no answer to a ping');
        socket.terminate();
        continue;
      }
      connection.isAlive = false;
      socket.ping();
      if (connection.sessionId !== undefined) sessionIds.add(connection.sessionId);
    }
    for (const sessionId of sessionIds) {
      try {
        if (!(await this.#options.sessions.isOpen(sessionId))) this.#endSession(sessionId);
      } catch (error) {
        this.#options.log.warn({ err: error }, 'could not look after a live session; trying again at the next beat');
      }
    }
  }
}

function channelOf(path: string): LiveChannel | undefined {
  if (path === '/ws/live') return 'live';
  if (path === '/ws/alerts') return 'alerts';
  const device = /^\/ws\/device\/([0-9a-f-]{36})$/.exec(path)?.[1];
  return device === undefined ? undefined : `device:${device}`;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
