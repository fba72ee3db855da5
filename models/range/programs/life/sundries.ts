/** Connections that never come about, programs that people run, and servers that say little. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation, Serving } from '../conversation.ts';
import { open } from './framed.ts';
import { again, within } from './rhythm.ts';
import type { Surroundings } from './surroundings.ts';

/** A cloud that was switched off years ago, a hub that moved: tried again for ever, a few times in a row. */
export async function talkDead(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    for (let left = within(random, conversation.per); left > 0; left--) {
      const socket = open(conversation, random);
      await Promise.race([once(socket, 'close'), pause(within(random, conversation.thinks))]);
      socket.destroy();
      await pause(random.exponential(conversation.gapMs));
    }
  });
}

/** ssh, curl, ping: what people and backup jobs start. */
export async function talkRun(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const [program = 'true', ...rest] = random.pick(conversation.commands);
    const child = spawn(program, rest, { stdio: 'ignore', timeout: 180_000 });
    child.on('error', () => undefined);
    await once(child, 'close');
  });
}

/** A log-in prompt that knows nobody: three wrong passwords and out, a moment later each. */
export function serveTelnet(serving: Serving, around: Surroundings): void {
  const server = createServer((socket) => {
    around.keep(socket);
    let lines = 0;
    socket.write(Buffer.from([255, 253, 24, 255, 253, 32, 255, 251, 1]));
    socket.write('\r\ndevice login: ');
    socket.on('data', (bytes: Buffer) => {
      if (!bytes.includes(10) && !bytes.includes(13)) return;
      lines += 1;
      if (lines % 2 === 1) socket.write('Password: ');
      else {
        setTimeout(() => {
          if (lines >= 6) socket.end('\r\nLogin incorrect\r\n');
          else if (socket.writable) socket.write('\r\nLogin incorrect\r\ndevice login: ');
        }, 700);
      }
    });
    socket.setTimeout(60_000, () => socket.destroy());
  });
  server.on('error', around.complain);
  server.listen(serving.port, serving.address);
}

/** A tarpit: takes every connection and says nothing. */
export function serveSilence(serving: Serving, around: Surroundings): void {
  const server = createServer((socket) => {
    around.keep(socket);
    socket.resume();
    socket.setTimeout(90_000, () => socket.destroy());
  });
  server.on('error', around.complain);
  server.listen(serving.port, serving.address);
}
