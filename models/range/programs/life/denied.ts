/** A client of MQTT whose password was changed: refused, it tries again after ever longer pauses, for ever. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation, Serving } from '../conversation.ts';
import { open } from './framed.ts';
import { connectPacket } from './mqtt.ts';
import { within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

/** CONNACK with "not authorized", and the connection is over. */
export function serveDenying(serving: Serving, around: Surroundings): void {
  const accept = (socket: Socket): void => {
    around.keep(socket);
    socket.setTimeout(20_000, () => socket.destroy());
    socket.once('data', () => socket.end(Buffer.from([0x20, 2, 0, 5])));
  };
  const server = serving.isTls
    ? createTlsServer({ key: around.key, cert: around.certificate }, accept)
    : createServer(accept);
  server.on('error', around.complain);
  server.on('tlsClientError', () => undefined);
  server.listen(serving.port, serving.address);
}

/** The first pause is `gapMs`; each is twice the one before, up to the rhythm's; after `per` attempts it starts anew. */
export async function talkDenied(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  const name = random.word(random.integer(5, 20));
  const password = random.word(random.integer(6, 24));
  await pause(random.between(0, 5000));
  for (;;) {
    let wait = conversation.gapMs;
    for (let left = within(random, conversation.per); left > 0; left--) {
      const socket = open(conversation, random);
      const patience = AbortSignal.timeout(8000);
      try {
        await once(socket, conversation.isTls ? 'secureConnect' : 'connect', { signal: patience });
        socket.write(connectPacket(name, 60, name, password));
        await once(socket, 'close', { signal: patience });
      } catch {
        // the broker is away: the pause is the same
      }
      socket.destroy();
      await pause(wait * (1 + conversation.rhythm.jitter * random.between(-1, 1)));
      wait = Math.min(wait * 2, conversation.rhythm.everyMs);
    }
  }
}
