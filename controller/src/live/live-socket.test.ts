/** The live sockets with a real WebSocket client, on a whole controller. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket, type RawData } from 'ws';
import { WorkingTime } from '../../../.ci/working-time.ts';
import type { LiveEvent } from '@picket/shared/contract/live-event';
import { startTestController, type Client, type TestController } from '../testing/test-controller.ts';
import { LiveFeed } from './live-feed.ts';
import { LiveSocket, type LiveSocketOptions } from './live-socket.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

const event: LiveEvent = { type: 'alert_created', data: { id: 'a' } };

function textOf(data: RawData): string {
  return (data as Buffer).toString('utf8');
}

async function closeOf(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

describe('on a controller', () => {
  let picket: TestController;
  let viewer: Client;
  /** Parts of the controller that listen for themselves. */
  let ownSubscribers = 0;
  beforeAll(async () => {
    picket = await startTestController();
    ownSubscribers = picket.controller.feed.subscribers;
    viewer = await picket.as('viewer');
  });
  afterAll(() => picket[Symbol.asyncDispose]());

  const ticket = async (client: Client = viewer): Promise<string> => {
    const answer = await client.send('POST', '/api/v1/auth/ws-ticket');
    const body = (await answer.json()) as { ticket: string; expires_in: number };
    expect(body.expires_in).toBe(30);
    return body.ticket;
  };
  const open = (path: string, headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`${picket.url.replace('http', 'ws')}${path}`, { headers });
  const subscribed = (count: number): Promise<void> =>
    expect.poll(() => picket.controller.feed.subscribers - ownSubscribers, patience).toBe(count);

  test('events arrive on the channel that was asked for', async () => {
    const socket = open(`/ws/alerts?ticket=${await ticket()}`);
    await subscribed(1);
    const message = once(socket, 'message') as Promise<[RawData]>;
    picket.controller.feed.publish('live', event);
    picket.controller.feed.publish('alerts', { type: 'alert_resolved', data: { id: 'b' } });
    expect(JSON.parse(textOf((await message)[0]))).toEqual({ type: 'alert_resolved', data: { id: 'b' } });
    socket.close();
    await subscribed(0);
  });

  test('SEC-09 a ticket opens one socket, and nothing else opens any', async () => {
    const used = await ticket();
    const first = open(`/ws/live?ticket=${used}`);
    await subscribed(1);
    expect(await closeOf(open(`/ws/live?ticket=${used}`))).toBe(4401);
    expect(await closeOf(open('/ws/live'))).toBe(4401);
    expect(await closeOf(open(`/ws/live?ticket=${viewer.tokens.access_token}`))).toBe(4401);
    expect(await closeOf(open('/ws/live', { authorization: `Bearer ${viewer.tokens.access_token}` }))).toBe(4401);
    first.close();
    await subscribed(0);
  });

  test('SEC-09 a page of another origin is refused before its ticket is looked at', async () => {
    const good = await ticket();
    expect(await closeOf(open(`/ws/live?ticket=${good}`, { origin: 'https://evil.example' }))).toBe(4403);
    const own = open(`/ws/live?ticket=${good}`, { origin: picket.url });
    await subscribed(1);
    own.close();
    await subscribed(0);
  });

  test('an unknown channel or device is 4404', async () => {
    expect(await closeOf(open(`/ws/else?ticket=${await ticket()}`))).toBe(4404);
    const device = '019abcde-0000-7000-8000-000000000000';
    expect(await closeOf(open(`/ws/device/${device}?ticket=${await ticket()}`))).toBe(4404);
  });

  test('SEC-07 log-out closes the socket within a second', async () => {
    await using other = await startTestController();
    const operator = await other.as('operator');
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/ws/live?ticket=${await ticket(operator)}`);
    await expect.poll(() => other.controller.feed.subscribers, patience).toBe(ownSubscribers + 1);
    const closed = closeOf(socket);
    using working = WorkingTime.start();
    await operator.send('POST', '/api/v1/auth/logout');
    expect(await closed).toBe(4401);
    expect(working.ms).toBeLessThan(1000);
  });

  test('SEC-14 a message above 64 KiB closes the socket', async () => {
    const socket = open(`/ws/live?ticket=${await ticket()}`);
    await subscribed(1);
    const closed = closeOf(socket);
    socket.send('x'.repeat(64 * 1024 + 1));
    expect([1006, 1009]).toContain(await closed);
    await subscribed(0);
  });

  test('CVE-2026-126344 a request line with two slashes, or for another host, gets no socket', async () => {
    const ask = (target: string, host: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const { port, hostname } = new URL(picket.url);
        const socket = connect(Number(port), hostname);
        socket.on('error', reject);
        socket.on('data', (chunk) => {
          resolve(chunk.toString());
          socket.destroy();
        });
        socket.write(
          `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        );
      });
    expect(await ask('//evil.example/ws/live', 'localhost')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask('/ws/live', 'evil.example')).toMatch(/^HTTP\/1\.1 421 /);
    expect(await ask('/ws/live', 'localhost')).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('CVE-2026-126343 connections that are reset while they are being opened hurt nobody', async () => {
    const { port, hostname } = new URL(picket.url);
    for (let round = 0; round < 200; round++) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(
        'GET /ws/live?ticket=x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        () => socket.resetAndDestroy(),
      );
    }
    expect((await picket.fetch('/healthz')).status).toBe(200);
    await subscribed(0);
  });
});

describe('by itself', () => {
  async function start(options: Partial<LiveSocketOptions> = {}) {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const feed = new LiveFeed();
    const ended = new Set<string>();
    const live = LiveSocket.attach(server, {
      feed,
      sessions: {
        redeemTicket: async (ticket) => ticket,
        isOpen: async (session) => !ended.has(session),
        onEnd: () => () => {},
      },
      deviceExists: async () => true,
      isOwnHost: () => true,
      isAllowedOrigin: () => true,
      log: pino({ level: 'silent' }),
      ...options,
    });
    const { port } = server.address() as AddressInfo;
    return {
      feed,
      ended,
      live,
      url: `ws://127.0.0.1:${port}/ws/live?ticket=s1`,
      async [Symbol.asyncDispose]() {
        await live[Symbol.asyncDispose]();
        server.close();
        server.closeAllConnections();
      },
    };
  }

  test('a session that another controller ended is noticed at the next beat', async () => {
    await using parts = await start({ heartbeatMs: 1000 }); // long enough for each ping to be answered
    const socket = new WebSocket(parts.url);
    await expect.poll(() => parts.feed.subscribers, patience).toBe(1);
    parts.ended.add('s1');
    expect(await closeOf(socket)).toBe(4401);
  });

  test('who does not answer a ping is let go', async () => {
    await using parts = await start({ heartbeatMs: 30 });
    const socket = new WebSocket(parts.url, { autoPong: false });
    expect([1006, 4408]).toContain(await closeOf(socket));
    await expect.poll(() => parts.live.connections, patience).toBe(0);
  });

  test('a client that does not read is told what it missed, and memory stays bounded', async () => {
    await using parts = await start({ maxBufferedBytes: 64 * 1024 });
    const socket = new WebSocket(parts.url);
    await expect.poll(() => parts.feed.subscribers, patience).toBe(1);
    socket.pause();
    const large: LiveEvent = { type: 'alert_created', data: { text: 'x'.repeat(16 * 1024) } };
    for (let sent = 0; sent < 2000; sent++) parts.feed.publish('live', large);
    expect(parts.feed.counters.dropped).toBeGreaterThan(0);
    const types: string[] = [];
    socket.on('message', (data: RawData) => types.push((JSON.parse(textOf(data)) as LiveEvent).type));
    socket.resume();
    await expect
      .poll(() => {
        parts.feed.publish('live', event);
        return types.includes('dropped');
      }, patience)
      .toBe(true);
    socket.close();
  });

  test('at the end every client is told to go', async () => {
    const parts = await start();
    const socket = new WebSocket(parts.url);
    await expect.poll(() => parts.feed.subscribers, patience).toBe(1);
    const closed = closeOf(socket);
    await parts[Symbol.asyncDispose]();
    expect(await closed).toBe(1001);
  });
});
