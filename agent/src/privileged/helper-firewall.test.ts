import { expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { emptyGuard } from '../enforcement/guard.ts';
import { decision } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { HelperFirewall } from './helper-firewall.ts';
import type { Unnumbered } from './helper-link.ts';
import { KernelService } from './kernel-service.ts';
import type { Reading, Reply, Request } from './messages.ts';

const never = new AbortController().signal;

/** Both ends in one process: every message goes through JSON, and the next answer can be lost. */
class Pair {
  readonly kernel = new MemoryFirewall();
  readonly said: string[] = [];
  isAnswerLost = false;
  #answer: Reply | undefined;
  readonly #service = new KernelService({
    openFirewall: () => this.kernel,
    send: (reply) => {
      this.#answer = JSON.parse(JSON.stringify(reply)) as Reply;
    },
  });
  readonly firewall = new HelperFirewall({
    link: {
      request: (request) => this.#request(request),
      watch: () => ({ [Symbol.asyncDispose]: async () => {} }),
    },
    now: Date.now,
    addressesOf: () => [],
  });

  async #request(request: Unnumbered<Request>): Promise<Reading | undefined> {
    const text = JSON.stringify({ ...request, id: 1 });
    await this.#service.serve(JSON.parse(text));
    this.said.push(`${request.op} ${text.length}`, `answer ${JSON.stringify(this.#answer).length}`);
    const answer = this.#answer!;
    if (this.isAnswerLost) {
      this.isAnswerLost = false;
      throw new Error('the answer was lost');
    }
    if (!('re' in answer) || !answer.ok) throw new Error('refused');
    return answer.reading;
  }

  async hold(decisions: readonly Decision[]): Promise<ReadonlySet<string>> {
    return (await this.firewall.hold(decisions, emptyGuard, never)).decisionIds;
  }
}

const many = Array.from({ length: 2000 }, (_, index) => decision({ value: `100.64.${index >> 8}.${index & 255}` }));

test('one decision more, or less, among thousands is said in few words, and the whole is known on both sides', async () => {
  const pair = new Pair();
  expect((await pair.hold(many)).size).toBe(2000);
  pair.said.length = 0;
  const more = decision({ value: '203.0.113.9' });
  expect((await pair.hold([...many, more])).has(more.id)).toBe(true);
  expect(pair.said.map((line) => line.split(' ')[0])).toEqual(['add', 'answer', 'hold', 'answer']);
  expect(Math.max(...pair.said.map((line) => Number(line.split(' ')[1])))).toBeLessThan(1000);
  pair.said.length = 0;
  const left = await pair.hold(many.slice(1));
  expect([left.size, left.has(more.id), left.has(many[0]!.id)]).toEqual([1999, false, false]);
  expect(pair.said.map((line) => line.split(' ')[0])).toEqual(['remove', 'answer', 'hold', 'answer']);
  expect(pair.kernel.decisions.map(({ id }) => id)).toEqual(many.slice(1).map(({ id }) => id));
});

test('an answer that is lost leaves no wrong idea of what the kernel holds', async () => {
  const pair = new Pair();
  await pair.hold(many.slice(0, 3));
  pair.kernel.decisions = many.slice(0, 2);
  pair.isAnswerLost = true;
  await expect(pair.firewall.read(never)).rejects.toThrow('lost');
  await expect(pair.firewall.read(never)).rejects.toThrow('was missed');
  expect((await pair.firewall.read(never)).decisionIds).toEqual(new Set(many.slice(0, 2).map(({ id }) => id)));
  expect((await pair.hold(many.slice(0, 4))).size).toBe(4);
  expect(pair.kernel.decisions).toHaveLength(4);
});
