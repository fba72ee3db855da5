/** Apps and bridges that ask the same thing several times a second for minutes, and rest. */
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../random.ts';
import type { Conversation } from '../conversation.ts';
import { exchange } from './http.ts';
import { again, within } from './rhythm.ts';

/** A spell: `per` requests, one every `gapMs` by a clock that is hardly off, on one connection or each on its own. */
export async function talkPoll(conversation: Conversation): Promise<never> {
  const random = new Random(conversation.seed);
  return await again(conversation.rhythm, random, async () => {
    const host = random.pick(conversation.to);
    const keepAlive = random.next() < conversation.share;
    const agent = conversation.isTls
      ? new TlsAgent({ keepAlive, maxSockets: 1 })
      : new Agent({ keepAlive, maxSockets: 1 });
    for (let left = within(random, conversation.per); left > 0; left--) {
      const began = performance.now();
      if (conversation.unauthorized !== undefined) await exchange(conversation, host, agent, random, '&status=401');
      if (conversation.unauthorized !== 'always') await exchange(conversation, host, agent, random);
      const spent = performance.now() - began;
      if (left > 1) await pause(Math.max(conversation.gapMs * random.between(0.95, 1.05) - spent, 5));
    }
    agent.destroy();
  });
}
