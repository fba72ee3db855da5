/** MQTT 3.1.1 as small devices speak it: connect, perhaps subscribe, publish, ping, leave or lose the line. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation } from '../conversation.ts';
import { ended, open } from './framed.ts';
import { pauses, within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

function packet(kind: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = body.length; ;) {
    const more = left > 127;
    length.push((left & 127) | (more ? 128 : 0));
    if (!more) break;
    left >>= 7;
  }
  return Buffer.concat([Buffer.from([kind, ...length]), body]);
}

export const connectPacket = (name: string, keepAliveSeconds: number, user = '', password = ''): Buffer =>
  packet(
    0x10,
    text('MQTT'),
    Buffer.from([4, user === '' ? 2 : 0xc2, keepAliveSeconds >> 8, keepAliveSeconds & 255]),
    text(name),
    ...(user === '' ? [] : [text(user), text(password)]),
  );

/** `per` messages per session, then a new session; `per` of 1 is a device that wakes up, reports, and sleeps. */
export async function talkMqtt(conversation: Conversation, around: Surroundings): Promise<never> {
  const random = new Random(conversation.seed);
  const next = pauses(conversation.rhythm, random);
  const topic = `${random.word(4)}/${random.word(random.integer(3, 24))}`;
  const keepAlive = random.pick([15, 30, 60, 60, 120, 300]);
  const listens = random.next() < 0.5;
  await pause(random.between(0, Math.min(conversation.rhythm.everyMs, 20_000)));
  for (;;) {
    const socket = open(conversation, random);
    around.keep(socket);
    const gone = ended(socket);
    let ping: NodeJS.Timeout | undefined;
    const messages = within(random, conversation.per);
    try {
      await shakeHands(socket, conversation, random.word(random.integer(5, 20)), keepAlive);
      if (listens && messages > 1) {
        socket.write(packet(0x82, Buffer.from([0, 1]), text(listens ? `${topic}/set` : '#'), Buffer.from([1])));
      }
      ping = setInterval(() => socket.write(Buffer.from([0xc0, 0])), keepAlive * 900);
      for (let left = messages; left > 0 && socket.writable; left--) {
        const isSure = random.next() < conversation.share;
        const payload = Buffer.alloc(within(random, conversation.sends), 'm');
        socket.write(
          isSure
            ? packet(0x32, text(topic), Buffer.from([left >> 8, left & 255]), payload)
            : packet(0x30, text(topic), payload),
        );
        if (left > 1) await Promise.race([pause(next(0)), gone]);
      }
      if (messages === 1) await pause(random.between(5, 150));
      if (socket.writable && random.next() < 0.8) socket.end(Buffer.from([0xe0, 0]));
    } catch {
      // the broker is away: the next attempt comes later
    }
    clearInterval(ping);
    await pause(messages === 1 ? next(0) : random.exponential(5000) + 300);
    socket.destroy();
  }
}

async function shakeHands(socket: Socket, conversation: Conversation, name: string, keepAlive: number): Promise<void> {
  const signal = AbortSignal.timeout(8000);
  await once(socket, conversation.isTls ? 'secureConnect' : 'connect', { signal });
  const greeted = once(socket, 'data', { signal });
  socket.write(connectPacket(name, keepAlive));
  await greeted;
}
