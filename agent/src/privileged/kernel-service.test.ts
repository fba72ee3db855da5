/** What the process with the rights does when it is asked, and what it refuses. */
import { expect, test } from 'vitest';
import { emptyGuard } from '../enforcement/guard.ts';
import { restriction } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { KernelService, releasePausesMs } from './kernel-service.ts';
import { maxDecisionsPerRequest, maxHeldDecisions, type Reply } from './messages.ts';

const now_ms = Date.now();

class Bench {
  readonly firewall = new MemoryFirewall();
  readonly replies: Reply[] = [];
  readonly service = new KernelService({
    openFirewall: () => this.firewall,
    send: (reply) => this.replies.push(reply),
  });

  /** The answer. */
  async ask(value: unknown): Promise<Reply | undefined> {
    await this.service.serve(value);
    return this.replies.at(-1);
  }
}

const hold = { op: 'hold', id: 1, now_ms, guard: emptyGuard, addresses: {} };

test('what was added holds, what was removed does not, and a reset forgets all', async () => {
  const bench = new Bench();
  const [one, two] = [restriction({ value: '203.0.113.1' }), restriction({ value: '203.0.113.2' })];
  expect(await bench.ask({ op: 'add', id: 0, decisions: [one, two] })).toEqual({ re: 0, ok: true });
  expect(bench.firewall.decisions).toEqual([]);
  expect(await bench.ask(hold)).toMatchObject({
    re: 1,
    ok: true,
    reading: { decision_ids: { added: 2 } },
  });
  bench.firewall.decisions = [two];
  expect(await bench.ask({ op: 'read', id: 2, now_ms })).toMatchObject({
    reading: { decision_ids: { came: [], went: [one.id], count: 1 } },
  });
  await bench.ask({ op: 'remove', id: 3, ids: [one.id] });
  await bench.ask(hold);
  expect(bench.firewall.decisions.map(({ id }) => id)).toEqual([two.id]);
  await bench.ask({ op: 'reset', id: 4 });
  expect(await bench.ask({ op: 'read', id: 5, now_ms })).toMatchObject({
    reading: { decision_ids: { all: [two.id] } },
  });
  await bench.ask(hold);
  expect(bench.firewall.decisions).toEqual([]);
});

test.each([
  ['another table', { ...hold, table: 'filter' }],
  ['a batch of its own', { op: 'apply', id: 1, nftables: [{ flush: { ruleset: null } }] }],
  ['text', 'flush ruleset'],
  ['nothing', null],
  ['a guard with a field more', { ...hold, guard: { ...emptyGuard, accept: 'all' } }],
  ['a guard with a host name', { ...hold, guard: { ...emptyGuard, neverBlock: ['localhost'] } }],
  ['a device with rules in its address', { ...hold, addresses: { 'aa:bb:cc:dd:ee:ff }': ['192.0.2.1'] } }],
  [
    'a value with rules in it',
    { op: 'add', id: 1, decisions: [restriction({ value: '1.2.3.4 }; flush ruleset; {' })] },
  ],
  ['a reason', { op: 'add', id: 1, decisions: [{ ...restriction(), reason: 'test' }] }],
  ['everybody', { op: 'add', id: 1, decisions: [restriction({ scope: 'cidr', value: '0.0.0.0/0' })] }],
  ['a clock that would make it last for years', { ...hold, now_ms: 0 }],
  [
    'more than a message may carry',
    { op: 'add', id: 1, decisions: Array.from({ length: maxDecisionsPerRequest + 1 }, () => restriction()) },
  ],
])('%s is refused, and the kernel does not hear of it', async (_, message) => {
  const bench = new Bench();
  await bench.ask({ op: 'add', id: 0, decisions: [restriction()] });
  expect(await bench.ask(message)).toMatchObject({ ok: false, code: 'refused' });
  expect(bench.firewall.decisions).toEqual([]);
  expect(bench.service.refused).toBe(1);
});

test('one bad decision among good ones keeps out all of its message', async () => {
  const bench = new Bench();
  await bench.ask({ op: 'add', id: 0, decisions: [restriction(), restriction({ scope: 'cidr', value: '::/0' })] });
  await bench.ask(hold);
  expect(bench.firewall.decisions).toEqual([]);
});

test('a decision without an end in sight never reaches the kernel', async () => {
  const bench = new Bench();
  await bench.ask({ op: 'add', id: 0, decisions: [restriction({ expires_at: '2999-01-01T00:00:00.000Z' })] });
  expect(await bench.ask(hold)).toMatchObject({ ok: false, code: 'refused' });
  expect(bench.firewall.decisions).toEqual([]);
});

test('what is held already is looked at again where the clock is said to be an earlier one', async () => {
  const bench = new Bench();
  const long = restriction({ expires_at: new Date(now_ms + 29 * 86_400_000).toISOString() });
  await bench.ask({ op: 'add', id: 0, decisions: [long] });
  expect(await bench.ask(hold)).toMatchObject({ ok: true });
  expect(await bench.ask({ ...hold, now_ms: now_ms + 1000 })).toMatchObject({ ok: true });
  expect(await bench.ask({ ...hold, now_ms: now_ms - 3 * 86_400_000 })).toMatchObject({ ok: false });
  expect(await bench.ask({ ...hold, now_ms: now_ms - 3 * 86_400_000 })).toMatchObject({ ok: false });
  expect(await bench.ask(hold)).toMatchObject({ ok: true });
});

test('one that would last too long is refused until it is taken back', async () => {
  const bench = new Bench();
  await bench.ask(hold);
  const endless = restriction({ expires_at: '2999-01-01T00:00:00.000Z' });
  await bench.ask({ op: 'add', id: 0, decisions: [endless] });
  expect(await bench.ask(hold)).toMatchObject({ ok: false });
  expect(await bench.ask(hold)).toMatchObject({ ok: false });
  await bench.ask({ op: 'remove', id: 0, ids: [endless.id] });
  expect(await bench.ask(hold)).toMatchObject({ ok: true });
});

test('one that would last too long is not let through for another that was taken back', async () => {
  const bench = new Bench();
  const dayMs = 86_400_000;
  const endingIn = (days: number) => restriction({ expires_at: new Date(now_ms + days * dayMs).toISOString() });
  const [first, second] = [endingIn(40), endingIn(50)];
  await bench.ask({ op: 'add', id: 0, decisions: [first, second] });
  expect(await bench.ask(hold)).toMatchObject({ ok: false });
  await bench.ask({ op: 'remove', id: 0, ids: [first.id] });
  const later = { ...hold, now_ms: now_ms + 12 * dayMs }; // by then the first would be in order, and the second is not
  expect(await bench.ask(later)).toMatchObject({ ok: false });
  expect(bench.firewall.decisions).toEqual([]);
  await bench.ask({ op: 'add', id: 0, decisions: [first] });
  await bench.ask({ op: 'remove', id: 0, ids: [second.id] });
  expect(await bench.ask(later)).toMatchObject({ ok: true });
  expect(bench.firewall.decisions).toEqual([first]);
});

test('neither requests nor decisions come without a bound', async () => {
  const bench = new Bench();
  const answers = await Promise.all(
    Array.from({ length: 3000 }, (_, id) => bench.service.serve({ op: 'read', id, now_ms })),
  );
  expect(answers).toHaveLength(3000);
  expect(bench.service.refused).toBeGreaterThan(2000);
  const full = new Bench();
  for (let from = 0; from < maxHeldDecisions; from += 100) {
    const decisions = Array.from({ length: 100 }, () => restriction());
    expect(await full.ask({ op: 'add', id: from, decisions })).toMatchObject({ ok: true });
  }
  expect(await full.ask({ op: 'add', id: 1, decisions: [restriction()] })).toMatchObject({ ok: false });
});

test('what is to be open is tried again, and what was still asked for restricts nothing afterwards', async () => {
  const bench = new Bench();
  await bench.ask({ op: 'add', id: 0, decisions: [restriction()] });
  await bench.ask(hold);
  bench.firewall.failingClears = 2;
  const released = bench.service.release([1, 1, 1]);
  const late = bench.service.serve(hold);
  expect(await released).toBe(2);
  await late;
  expect(bench.firewall.clears).toBe(3);
  expect(bench.firewall.decisions).toEqual([]);
  expect(bench.replies.at(-1)).toMatchObject({ ok: false, message: 'the agent is gone' });
});

test('it is not tried for ever', async () => {
  const bench = new Bench();
  bench.firewall.failingClears = Number.POSITIVE_INFINITY;
  await expect(bench.service.release([1, 1])).rejects.toThrow('clear was stopped at its deadline');
  expect(bench.firewall.clears).toBe(3);
  expect(releasePausesMs.length).toBeLessThan(20);
});

test('how often the monitor was started again is told with each reading', async () => {
  const bench = new Bench();
  const firewall = new MemoryFirewall();
  let restarts = 0;
  firewall.watch = () => ({
    get restarts() {
      return restarts;
    },
    [Symbol.asyncDispose]: async () => {},
  });
  const service = new KernelService({ openFirewall: () => firewall, send: (reply) => bench.replies.push(reply) });
  await service.serve({ op: 'read', id: 1, now_ms });
  restarts = 3;
  await service.serve({ op: 'read', id: 2, now_ms });
  expect(bench.replies).toMatchObject([{ reading: { monitor_restarts: 0 } }, { reading: { monitor_restarts: 3 } }]);
});
