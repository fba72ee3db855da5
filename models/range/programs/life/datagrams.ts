/** Datagrams: questions with answers (CoAP, SNMP, NTP …), messages without, media streams, names. */
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation, Serving } from '../conversation.ts';
import { nameAnswer, nameQuestion } from './names.ts';
import { again, within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

const typeOf = (address: string): 'udp4' | 'udp6' => (address.includes(':') ? 'udp6' : 'udp4');

/** The first eight bytes say how many bytes the answer has, how many datagrams it is, and what pause lies between them. */
export function serveDatagrams(serving: Serving, around: Surroundings): void {
  const socket = createSocket({ type: typeOf(serving.address) });
  socket.on('error', around.complain);
  socket.on('message', (message, peer) => {
    if (serving.kind === 'names') {
      const answer = nameAnswer(message);
      if (answer !== undefined) setTimeout(() => socket.send(answer, peer.port, peer.address), answer.length % 40);
      return;
    }
    if (message.length < 8) return;
    const bytes = Math.min(message.readUInt16BE(0), 1400);
    const gap = message.readUInt16BE(4);
    const datagrams = bytes === 0 ? 0 : Math.min(message.readUInt16BE(2), 64);
    for (let index = 0; index < datagrams; index++) {
      setTimeout(
        () => socket.send(Buffer.alloc(bytes, 'a'), peer.port, peer.address, () => undefined),
        gap * (index + 1),
      );
    }
  });
  socket.bind(serving.port, serving.address);
}

async function open(conversation: Conversation, host: string): Promise<Socket> {
  const socket = createSocket(typeOf(host));
  socket.on('error', () => undefined);
  socket.bind(0, conversation.from === '' ? undefined : conversation.from);
  await once(socket, 'listening');
  if (/^(22[4-9]|23\d)\./.test(host) && conversation.from !== '') socket.setMulticastInterface(conversation.from);
  if (host.endsWith('.255')) socket.setBroadcast(true);
  return socket;
}

function head(random: Random, conversation: Conversation, datagrams: number): Buffer {
  const message = Buffer.alloc(Math.max(within(random, conversation.sends), 8), 'q');
  message.writeUInt16BE(Math.min(within(random, conversation.asks), 1400), 0);
  message.writeUInt16BE(datagrams, 2);
  message.writeUInt16BE(Math.min(within(random, conversation.thinks), 9000), 4);
  return message;
}

/** `per` questions from one socket, each after the answer to the one before, or after its patience. */
export async function talkAsk(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const host = random.pick(conversation.to);
    const socket = await open(conversation, host);
    for (let left = within(random, conversation.per); left > 0; left--) {
      socket.send(head(random, conversation, 1), conversation.port, host, () => undefined);
      await Promise.race([once(socket, 'message'), pause(2500)]);
      if (left > 1) await pause(random.exponential(conversation.gapMs));
    }
    socket.close();
  });
}

/** Nobody answers: logs, discovery, announcements. */
export async function talkTell(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  const isSteady = conversation.share > 0.5; // one socket for good, as daemons have
  const steady = isSteady ? await open(conversation, conversation.to[0]!) : undefined;
  return await again(conversation.rhythm, random, async () => {
    const host = random.pick(conversation.to);
    const socket = steady ?? (await open(conversation, host));
    for (let left = within(random, conversation.per); left > 0; left--) {
      socket.send(Buffer.alloc(within(random, conversation.sends), 't'), conversation.port, host, () => undefined);
      if (left > 1) await pause(random.exponential(conversation.gapMs));
    }
    if (steady === undefined) {
      await pause(300); // somebody may say that the port is closed
      socket.close();
    }
  });
}

/** Media: a datagram every `gapMs` for `per` seconds; the other side sends as many back where it is asked for bytes. */
export async function talkStream(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const host = random.pick(conversation.to);
    const socket = await open(conversation, host);
    const until = performance.now() + within(random, conversation.per) * 1000;
    while (performance.now() < until) {
      // share: frames that go out as several datagrams back to back, as pictures do
      const datagrams = random.next() < conversation.share ? random.integer(2, 6) : 1;
      for (let index = 0; index < datagrams; index++) {
        socket.send(head(random, conversation, 1), conversation.port, host, () => undefined);
      }
      await pause(conversation.gapMs * random.between(0.8, 1.2));
    }
    socket.close();
  });
}

/** One name, often asked for both kinds of address; some do not exist, and some are asked for again. */
export async function talkName(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  const known = Array.from({ length: random.integer(2, 14) }, () => random.word(random.integer(4, 30)));
  const asksBoth = random.next() < 0.5;
  return await again(conversation.rhythm, random, async () => {
    const host = random.pick(conversation.to);
    for (let left = within(random, conversation.per); left > 0; left--) {
      const isWrong = random.next() < conversation.share;
      const label = isWrong ? `nx${random.word(random.integer(3, 12))}` : random.pick(known);
      const types = asksBoth ? [1, 28] : [random.pick([1, 1, 1, 28, 12, 33, 65])];
      const socket = await open(conversation, host);
      for (const type of types) {
        const sends = within(random, conversation.sends);
        const name = sends > 0 ? `${random.word(Math.min(sends, 60))}.${label}` : label;
        socket.send(nameQuestion(type, `${name}.example`), conversation.port, host, () => undefined);
      }
      await Promise.race([once(socket, 'message'), pause(3000)]);
      if (asksBoth) await pause(random.between(1, 60));
      socket.close();
      await pause(random.exponential(conversation.gapMs));
    }
  });
}
