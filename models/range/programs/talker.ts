/**
 * Runs inside a device and talks to hosts outside, on a timer: honest telemetry and time keeping, or a bot's beacon and
 * a thief's upload. One JSON array of conversations as argument; ends with its namespace or on SIGTERM.
 */
import { createSocket } from 'node:dgram';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../random.ts';

export interface Conversation {
  readonly kind: 'http' | 'tcp' | 'tcp-kept' | 'time' | 'name' | 'announce';
  readonly host: string;
  readonly port: number;
  readonly everyMs: number;
  /** 0: as a clock; 0.5: half to one and a half of the pause. */
  readonly jitter: number;
  /** Sent and asked for, in bytes: each time chosen between the two. */
  readonly sends: readonly [number, number];
  readonly asks: readonly [number, number];
  readonly seed: number;
  /** Keep one connection for all requests. */
  readonly isKept?: boolean;
}

async function talk(conversation: Conversation): Promise<void> {
  const random = new Random(conversation.seed);
  const { host, port, jitter, everyMs } = conversation;
  const size = (range: readonly [number, number]): number => random.integer(range[0], range[1]);
  const agent = new Agent({ keepAlive: conversation.isKept === true, maxSockets: 1 });
  const kept = conversation.kind === 'tcp-kept' ? connect(port, host) : undefined;
  kept?.on('error', () => kept.destroy());
  kept?.resume();
  await pause(random.between(0, Math.min(everyMs, 2000)));
  for (;;) {
    const bytes = Buffer.alloc(size(conversation.sends), 'd');
    if (conversation.kind === 'http') {
      const sent = request({
        host,
        port,
        agent,
        path: `/${random.word(6)}?size=${size(conversation.asks)}`,
        method: bytes.length > 0 ? 'POST' : 'GET',
      });
      sent.on('response', (response) => response.resume());
      sent.on('error', () => undefined);
      sent.end(bytes);
    } else if (conversation.kind === 'tcp') {
      const socket = connect(port, host, () => socket.end(bytes));
      socket.on('error', () => socket.destroy());
      socket.resume();
    } else if (conversation.kind === 'tcp-kept') {
      kept?.write(bytes);
    } else if (conversation.kind === 'time') {
      ask(host, port, Buffer.alloc(48, 0x23));
    } else if (conversation.kind === 'announce') {
      ask(host, port, bytes);
    } else {
      ask(host, port, question(bytes.length > 60 ? 16 : 1, `${random.word(Math.min(bytes.length, 60))}.example`));
    }
    await pause(everyMs * (1 + jitter * random.between(-1, 1)));
  }
}

/** One datagram from a fresh port; the answer is awaited for two seconds at most. */
function ask(host: string, port: number, bytes: Buffer): void {
  const socket = createSocket('udp4');
  const giveUp = setTimeout(() => socket.close(), 2000);
  socket.on('error', () => undefined);
  socket.on('message', () => {
    clearTimeout(giveUp);
    socket.close();
  });
  socket.send(bytes, port, host);
}

/** A DNS question for `name`: type 1 an address, 16 a text. */
function question(type: number, name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(Math.floor(performance.now() * 7) & 0xffff, 0);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

if (import.meta.main) {
  // the argument is made by the range itself
  const conversations = JSON.parse(process.argv[2] ?? '[]') as readonly Conversation[];
  await Promise.all(conversations.map(talk));
}
