/** Messages on a TCP or TLS connection: ten bytes say how long this one is, how long the answer, how long to think. */
import { type Socket, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation, Serving } from '../conversation.ts';
import { pauses, within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

const headLength = 10;
const filler = Buffer.alloc(65_536, 'r');

export function serveFramed(serving: Serving, around: Surroundings): void {
  const accept = (socket: Socket): void => {
    around.keep(socket);
    if (around.isAway()) {
      socket.destroy();
      return;
    }
    let head = Buffer.alloc(0);
    let missing = 0;
    socket.on('data', (bytes: Buffer) => {
      let at = 0;
      while (at < bytes.length) {
        if (missing > 0) {
          const taken = Math.min(missing, bytes.length - at);
          missing -= taken;
          at += taken;
        } else {
          const taken = Math.min(headLength - head.length, bytes.length - at);
          head = Buffer.concat([head, bytes.subarray(at, at + taken)]);
          at += taken;
          if (head.length < headLength) return;
          missing = head.readUInt32BE(0);
        }
        if (head.length === headLength && missing === 0) {
          const answer = head.readUInt32BE(4);
          setTimeout(() => send(socket, answer), head.readUInt16BE(8));
          head = Buffer.alloc(0);
        }
      }
    });
  };
  const server = serving.isTls
    ? createTlsServer({ key: around.key, cert: around.certificate, ALPNProtocols: ['http/1.1'] }, accept)
    : createTcpServer(accept);
  server.on('error', around.complain);
  server.on('tlsClientError', () => undefined);
  server.listen(serving.port, serving.address);
}

function send(socket: Socket, bytes: number): void {
  for (let left = bytes; left > 0 && socket.writable; left -= filler.length) socket.write(filler.subarray(0, left));
}

/** The next connection is made when this one is over or has carried its number of messages. */
export async function talkKept(conversation: Conversation, around: Surroundings): Promise<never> {
  const random = new Random(conversation.seed);
  const next = pauses(conversation.rhythm, random);
  await pause(random.between(0, Math.min(conversation.rhythm.everyMs, 20_000)));
  for (;;) {
    const socket = open(conversation, random);
    around.keep(socket);
    const gone = ended(socket);
    const messages = within(random, conversation.per);
    const ready = await Promise.race([
      once(socket, conversation.isTls ? 'secureConnect' : 'connect').then(
        () => true,
        () => false,
      ),
      pause(8000, false),
    ]);
    for (let left = ready ? messages : 0; left > 0 && socket.writable; left--) {
      const head = Buffer.alloc(headLength);
      const bytes = within(random, conversation.sends);
      head.writeUInt32BE(bytes, 0);
      head.writeUInt32BE(within(random, conversation.asks), 4);
      head.writeUInt16BE(Math.min(within(random, conversation.thinks), 60_000), 8);
      socket.write(head);
      send(socket, bytes);
      if (left > 1) await Promise.race([pause(next(0)), gone]);
    }
    if (ready && socket.writable) {
      await pause(random.between(20, 400)); // the answer to the last one
      socket.end();
      await Promise.race([pause(60_000), gone]);
    }
    socket.destroy();
    await pause(messages === 1 ? next(0) : random.exponential(4000) + 200);
  }
}

export const ended = (socket: Socket): Promise<unknown> =>
  socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));

export function open(conversation: Conversation, random: Random): Socket {
  const host = random.pick(conversation.to);
  const local = conversation.from === '' ? {} : { localAddress: conversation.from };
  const options = { host, port: conversation.port, ...local };
  const socket = conversation.isTls ? connectTls({ ...options, rejectUnauthorized: false }) : connectTcp(options);
  socket.on('error', () => socket.destroy());
  socket.resume();
  return socket;
}
