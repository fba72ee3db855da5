/** What looks like attack and is honest, between real sockets of this machine. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { expect, test, vi } from 'vitest';
import { Random } from '../../random.ts';
import { conversation } from '../../plan/neighbourhood.ts';
import { talkDenied } from './denied.ts';
import { talkPoll } from './poll.ts';
import { talkSweep } from './sweep.ts';

vi.setConfig({ testTimeout: 120_000 });

const here = { random: new Random(5), from: '127.0.0.1', from6: null };
const soon = { kind: 'clock', everyMs: 20, jitter: 0 } as const;

test('a poll behind a digest log-in asks twice each time, each on a connection of its own', async () => {
  const statuses: (string | null)[] = [];
  const ports = new Set<number | undefined>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createHttpServer((asked, response) => {
    statuses.push(new URL(asked.url ?? '/', 'http://x').searchParams.get('status'));
    ports.add(asked.socket.remotePort);
    response.end('state');
    if (statuses.length === 6) resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  void talkPoll(conversation(here, 'poll', '127.0.0.1', port, soon, { per: [3, 3], gapMs: 5, unauthorized: 'first' }));
  await promise;
  server.close();
  expect(statuses.slice(0, 6)).toEqual(['401', null, '401', null, '401', null]);
  expect(ports.size).toBeGreaterThanOrEqual(6);
});

test('a sweep looks at every host of its list, and asks those that open for a page', async () => {
  const asked: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      asked.push(/Host: (\S+)/.exec(bytes.toString())?.[1] ?? '');
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
      if (new Set(asked).size === 2) resolve();
    });
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const to = ['127.0.0.2', '127.0.0.3'];
  void talkSweep(
    conversation({ ...here, from: '' }, 'sweep', to, port, soon, { share: 1, gapMs: 1, thinks: [5000, 5000] }),
  );
  await promise;
  server.close();
  expect([...new Set(asked)].sort()).toEqual(to);
});

test('a client with a wrong password comes again and again, after ever longer pauses', async () => {
  const times: number[] = [];
  const names = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes: Buffer) => {
      times.push(performance.now());
      names.add(bytes.subarray(2, 8).toString('latin1'));
      socket.end(Buffer.from([0x20, 2, 0, 5]));
      if (times.length === 4) resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const slow = { kind: 'clock', everyMs: 10_000, jitter: 0 } as const;
  void talkDenied(conversation(here, 'denied', '127.0.0.1', port, slow, { per: [50, 50], gapMs: 60 }));
  await promise;
  server.close();
  expect([...names]).toEqual(['\0\u0004MQTT']);
  const [first = 0, second = 0, third = 0, fourth = 0] = times;
  expect(second - first).toBeGreaterThanOrEqual(55);
  expect(third - second).toBeGreaterThanOrEqual(115);
  expect(fourth - third).toBeGreaterThanOrEqual(235);
});
