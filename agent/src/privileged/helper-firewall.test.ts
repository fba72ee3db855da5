import { expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { emptyGuard } from '../enforcement/guard.ts';
import { decision } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { HelperFirewall } from './helper-firewall.ts';
import type { Unnumbered } from './helper-link.ts';
import { KernelService } from './kernel-service.ts';
import { maxDecisionsPerRequest, maxRequestBytes, type Reading, type Reply, type Request } from './messages.ts';

const never = new AbortController().signal;

/** Both ends in one process: every message goes through JSON, and an answer can be lost. */
class Pair {
  readonly kernel = new MemoryFirewall();
  readonly said: string[] = [];
  addressesOf: (mac: string) => readonly string[] = () => [];
  #lostIn: number | undefined;
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
    addressesOf: (mac) => this.addressesOf(mac),
  });

  async #request(request: Unnumbered<Request>): Promise<Reading | undefined> {
    const text = JSON.stringify({ ...request, id: 1 });
    await this.#service.serve(JSON.parse(text));
    this.said.push(`${request.op} ${text.length}`, `answer ${JSON.stringify(this.#answer).length}`);
    const answer = this.#answer!;
    if (this.#lostIn !== undefined && this.#lostIn-- === 0) throw new Error('the answer was lost');
    if (!('re' in answer) || !answer.ok) throw new Error('refused');
    return answer.reading;
  }

  /** The next answer, or the one that comes so many later, does not come through. */
  loseAnswer(later: number): void {
    this.#lostIn = later;
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

test('there is time for other work once everything was said, and before the answer', async () => {
  const pair = new Pair();
  const saidByThen: (readonly string[])[] = [];
  const note = (): void => void saidByThen.push(pair.said.map((line) => line.split(' ')[0]!));
  const holding = pair.firewall.hold(many.slice(0, 3), emptyGuard, never, note);
  expect((await holding).decisionIds.size).toBe(3);
  expect(saidByThen).toEqual([['reset', 'answer', 'add', 'answer']]);
  expect(pair.said.at(-2)).toMatch(/^hold /);
});

test('what is announced is told at once, held by nothing until then, and not told again', async () => {
  const pair = new Pair();
  await pair.hold(many.slice(0, 2));
  pair.said.length = 0;
  pair.firewall.announce(many.slice(0, 3));
  pair.firewall.announce(many.slice(3, 5));
  expect((await pair.firewall.read(never)).decisionIds.size).toBe(2);
  expect(pair.kernel.decisions).toHaveLength(2);
  expect((await pair.hold(many.slice(1, 4))).size).toBe(3);
  const ops = pair.said.map((line) => line.split(' ')[0]).filter((op) => op !== 'answer');
  expect(ops).toEqual(['add', 'add', 'read', 'remove', 'hold']);
  expect(pair.kernel.decisions.map(({ id }) => id)).toEqual(many.slice(1, 4).map(({ id }) => id));
  expect((await pair.firewall.read(never)).decisionIds.size).toBe(3);
});

test('where what is announced is not taken nothing is held, and all is told anew', async () => {
  const pair = new Pair();
  await pair.hold(many.slice(0, 2));
  pair.loseAnswer(0);
  pair.firewall.announce(many.slice(2, 4));
  await expect(pair.hold(many.slice(0, 4))).rejects.toThrow('lost');
  expect(pair.kernel.decisions).toHaveLength(2);
  pair.said.length = 0;
  pair.firewall.announce(many.slice(4, 6)); // nothing is known of the helper
  expect((await pair.hold(many.slice(0, 5))).size).toBe(5);
  expect(pair.said.map((line) => line.split(' ')[0]).filter((op) => op !== 'answer')).toEqual(['reset', 'add', 'hold']);
});

test('an answer that is lost leaves no wrong idea of what the kernel holds', async () => {
  const pair = new Pair();
  await pair.hold(many.slice(0, 3));
  pair.kernel.decisions = many.slice(0, 2);
  pair.loseAnswer(0);
  await expect(pair.firewall.read(never)).rejects.toThrow('lost');
  expect((await pair.firewall.read(never)).decisionIds).toEqual(new Set(many.slice(0, 2).map(({ id }) => id)));
  expect((await pair.hold(many.slice(0, 4))).size).toBe(4);
  expect(pair.kernel.decisions).toHaveLength(4);
});

test('whichever answer is lost, nothing leaves the kernel but what is to leave it', async () => {
  const steps = (pair: Pair): readonly (() => Promise<ReadonlySet<string>>)[] => [
    async () => (await pair.firewall.read(never)).decisionIds,
    async () => pair.hold(many.slice(0, 4)),
    async () => (await pair.firewall.read(never)).decisionIds,
    async () => pair.hold(many.slice(1, 5)),
    async () => (await pair.firewall.read(never)).decisionIds,
    async () => pair.hold(many.slice(1, 6)),
  ];
  let lost = 0;
  for (let nth = 0; ; nth += 1) {
    const pair = new Pair();
    await pair.hold(many.slice(0, 3));
    pair.loseAnswer(nth);
    const results: (ReadonlySet<string> | undefined)[] = [];
    for (const step of steps(pair)) {
      results.push(await step().catch(() => undefined));
      const there = new Set(pair.kernel.decisions.map(({ id }) => id));
      expect([nth, there.has(many[1]!.id), there.has(many[2]!.id)]).toEqual([nth, true, true]);
    }
    if (!results.includes(undefined)) break; // there are no more answers than that
    lost += 1;
    expect(results.filter((result) => result === undefined)).toHaveLength(1);
    const held = new Set(many.slice(1, 6).map(({ id }) => id));
    for (const after of [await pair.hold(many.slice(1, 6)), (await pair.firewall.read(never)).decisionIds]) {
      expect([nth, after]).toEqual([nth, held]);
    }
    expect(pair.kernel.decisions.map(({ id }) => id).toSorted(), `answer ${nth}`).toEqual([...held].toSorted());
    const more = decision({ value: '203.0.113.9' });
    expect((await pair.hold([...many.slice(1, 6), more])).size, `answer ${nth}`).toBe(6);
    expect(pair.kernel.decisions, `answer ${nth}`).toHaveLength(6);
  }
  expect(lost).toBeGreaterThan(8);
});

test('where a change was told in part, what holds is not taken for what was told before', async () => {
  const pair = new Pair();
  await pair.hold(many.slice(0, 2));
  pair.loseAnswer(1); // of the addition
  await expect(pair.hold(many.slice(1, 3))).rejects.toThrow('lost');
  pair.kernel.decisions = many.slice(1, 3); // as many as before, and just those that the helper knows
  expect((await pair.firewall.read(never)).decisionIds).toEqual(new Set(many.slice(1, 3).map(({ id }) => id)));
});

test('what was told anew once is told in few words again', async () => {
  const pair = new Pair();
  await pair.hold(many);
  pair.loseAnswer(0);
  await expect(pair.firewall.read(never)).rejects.toThrow('lost');
  expect((await pair.firewall.read(never)).decisionIds.size).toBe(2000);
  expect((await pair.hold(many.slice(1))).size).toBe(1999);
  pair.said.length = 0;
  await pair.hold(many);
  expect((await pair.firewall.read(never)).decisionIds.size).toBe(2000);
  expect(pair.said.map((line) => line.split(' ')[0])).toEqual(['add', 'answer', 'hold', 'answer', 'read', 'answer']);
  expect(Math.max(...pair.said.map((line) => Number(line.split(' ')[1])))).toBeLessThan(1000);
});

test('the longest decisions, as many as one request takes, stay within its bound, and the helper takes them', async () => {
  const pair = new Pair();
  const longest = Array.from({ length: maxDecisionsPerRequest * 2 }, (_, index) =>
    decision({
      scope: 'pair',
      value: `2001:1111:2222:3333:4444:5555:6666:${(4096 + index).toString(16)} fd00:1111:2222:3333:4444:5555:6666:7777`,
      action: 'rate_limit',
      mode: 'simulate',
      reason: 'r'.repeat(500),
    }),
  );
  expect((await pair.hold(longest)).size).toBe(longest.length);
  const added = pair.said.filter((line) => line.startsWith('add ')).map((line) => Number(line.split(' ')[1]));
  expect(added).toHaveLength(2);
  expect(Math.max(...added)).toBeLessThan(maxRequestBytes * 0.75);
});

test('however many MACs are cut, and whatever addresses they claim, what is asked stays within its bound', async () => {
  const pair = new Pair();
  pair.addressesOf = (mac) =>
    Array.from(
      { length: 64 },
      (_, index) => `fd00:1111:2222:3333:4444:5555:${mac.slice(-2)}00:${(4096 + index).toString(16)}`,
    );
  const macOf = (index: number): string => `02:00:00:00:0${index >> 8}:${(index & 255).toString(16).padStart(2, '0')}`;
  const cut = Array.from({ length: 400 }, (_, index) =>
    decision({ scope: 'device', value: macOf(index), action: 'quarantine' }),
  );
  expect((await pair.hold(cut)).size).toBe(400);
  const longest = Math.max(
    ...pair.said.filter((line) => !line.startsWith('answer')).map((line) => Number(line.split(' ')[1])),
  );
  expect(longest).toBeLessThan(maxRequestBytes);
  expect(pair.said.some((line) => line.startsWith('hold ') && Number(line.split(' ')[1]) > 16 * 64 * 40)).toBe(true);
});
