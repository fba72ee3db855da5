/** Apps that look who is there: a short connection to each of many hosts, some of whom answer, some of whom do not exist. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation } from '../conversation.ts';
import { open } from './framed.ts';
import { again, within } from './rhythm.ts';

/** One look at all of `to`, `gapMs` apart; each is given up after `thinks`. */
export async function talkSweep(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const looks: Promise<void>[] = [];
    for (const host of conversation.to) {
      looks.push(look({ ...conversation, to: [host] }, random));
      await pause(random.exponential(conversation.gapMs));
    }
    await Promise.allSettled(looks);
  });
}

async function look(conversation: Conversation, random: Random): Promise<void> {
  const socket = open(conversation, random);
  const patience = AbortSignal.timeout(Math.max(within(random, conversation.thinks), 50));
  try {
    await once(socket, 'connect', { signal: patience });
    if (random.next() < conversation.share) {
      socket.write(`GET /description.xml HTTP/1.1\r\nHost: ${conversation.to[0]}\r\nConnection: close\r\n\r\n`);
      await once(socket, 'close', { signal: patience });
    }
  } catch {
    // refused, or nobody there
  }
  socket.destroy();
}
