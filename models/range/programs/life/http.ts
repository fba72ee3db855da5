/** HTTP and HTTPS: APIs, pages, downloads and uploads, one or many requests per connection. */
import { Agent, createServer, request } from 'node:http';
import { Agent as TlsAgent, createServer as createTlsServer, request as requestTls } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation, Serving } from '../conversation.ts';
import { again, within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

const filler = Buffer.alloc(65_536, 'x');

/** `?size=` bytes after `wait=` ms with `status=`, whatever the path. */
export function serveHttp(serving: Serving, around: Surroundings): void {
  const answer: Parameters<typeof createServer>[1] = (asked, response) => {
    if (around.isAway()) {
      response.destroy();
      return;
    }
    const url = new URL(asked.url ?? '/', 'http://x');
    const size = Math.min(Number(url.searchParams.get('size') ?? 400) || 0, 60_000_000);
    const wait = Math.min(Number(url.searchParams.get('wait') ?? 5) || 0, 30_000);
    asked.on('error', () => response.destroy());
    asked.on('end', () =>
      setTimeout(() => {
        const isUnknown = url.searchParams.get('status') === '401';
        response.writeHead(isUnknown ? 401 : url.pathname.includes('missing') ? 404 : 200, {
          'content-length': size,
          ...(isUnknown ? { 'www-authenticate': 'Digest realm="device", nonce="1d5a", qop="auth"' } : {}),
        });
        pour(response, size);
      }, wait),
    );
    asked.resume();
  };
  const server = serving.isTls
    ? createTlsServer({ key: around.key, cert: around.certificate }, answer)
    : createServer(answer);
  server.on('error', around.complain);
  server.on('connection', (socket) => around.keep(socket));
  server.keepAliveTimeout = 15_000 + (serving.port % 7) * 10_000;
  server.listen(serving.port, serving.address, 512);
}

/** As much as the socket takes, no more: a firmware for thirty devices must not lie in memory thirty times. */
function pour(
  response: { write(bytes: Buffer): boolean; end(): void; once(name: 'drain', f: () => void): void; writable: boolean },
  bytes: number,
): void {
  let left = bytes;
  const go = (): void => {
    while (left > 0) {
      if (!response.writable) return;
      const more = response.write(filler.subarray(0, left));
      left -= filler.length;
      if (!more && left > 0) {
        response.once('drain', go);
        return;
      }
    }
    response.end();
  };
  go();
}

export async function talkHttp(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const agent = keptAgent(conversation);
    const host = random.pick(conversation.to);
    for (let left = within(random, conversation.per); left > 0; left--) {
      await exchange(conversation, host, agent, random);
      if (left > 1) await pause(random.exponential(conversation.gapMs));
    }
    agent.destroy();
  });
}

/** A page: several connections at once to some of its hosts, each with some requests. */
export async function talkVisit(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const connections = Array.from({ length: within(random, conversation.per) }, async () => {
      const agent = keptAgent(conversation);
      const host = random.pick(conversation.to);
      await pause(random.exponential(conversation.gapMs));
      for (let left = random.integer(1, 6); left > 0; left--) {
        await exchange(conversation, host, agent, random);
        await pause(random.exponential(conversation.gapMs / 2));
      }
      if (random.next() < 0.4) await pause(random.between(1000, 9000)); // browsers hold on to connections
      agent.destroy();
    });
    await Promise.allSettled(connections);
  });
}

const keptAgent = ({ isTls }: Conversation): Agent | TlsAgent =>
  isTls ? new TlsAgent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: true, maxSockets: 1 });

/** One request and its answer. `more` goes to the end of the address. */
export function exchange(
  conversation: Conversation,
  host: string,
  agent: Agent | TlsAgent,
  random: Random,
  more = '',
): Promise<void> {
  const bytes = within(random, conversation.sends);
  const path = `/${random.word(random.integer(3, 30))}?size=${within(random, conversation.asks)}&wait=${within(random, conversation.thinks)}${more}`;
  return new Promise((resolve) => {
    const ask = conversation.isTls ? requestTls : request;
    const sent = ask({
      host,
      port: conversation.port,
      agent,
      path,
      method: bytes > 0 ? 'POST' : 'GET',
      timeout: 30_000,
      headers: bytes > 0 ? { 'content-length': bytes } : {},
      ...(conversation.from === '' ? {} : { localAddress: conversation.from }),
      ...(conversation.isTls ? { rejectUnauthorized: false } : {}),
    });
    sent.on('response', (response) => {
      response.on('close', resolve);
      response.resume();
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('close', resolve);
    sent.on('error', () => resolve());
    pour(sent, bytes);
  });
}
