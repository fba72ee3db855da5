import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyGuard } from '../enforcement/guard.ts';
import { NftablesFirewall } from '../enforcement/nftables-firewall.ts';
import { restriction } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { RecordingKernel } from '../testing/recording-kernel.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
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

describe('hostile messages', () => {
  const hostile: readonly unknown[] = [
    'flush ruleset',
    'inet filter',
    '}; delete table inet other; {',
    'localhost',
    '999.1.1.1',
    '0.0.0.0/0',
    '::/0',
    '../../etc/passwd',
    '-f /etc/shadow',
    '\0',
    '\n',
    '{"op":"clear"}',
    '203.0.113.9',
    'tcp/22',
    'x'.repeat(5000),
    '@never_block',
    'drop',
    'picket; flush ruleset',
    '203.0.113.9 192.168.1.5',
    'aa:bb:cc:dd:ee:ff',
    '',
    ' ',
    0,
    -1,
    1e308,
    2 ** 53,
    0.5,
    null,
    true,
    [],
    {},
    [[[[[]]]]],
    JSON.parse('{"__proto__":{"op":"clear"}}'),
  ];

  function damage(random: SeededRandom, value: unknown): unknown {
    if (random.chance(0.15) || typeof value !== 'object' || value === null) {
      return random.chance(0.5) ? random.pick(hostile) : value;
    }
    if (Array.isArray(value)) {
      const items = value.map((item: unknown) => (random.chance(0.3) ? damage(random, item) : item));
      return random.chance(0.2) ? [...items, random.pick(hostile)] : items;
    }
    const entries = Object.entries(value).flatMap(([key, item]) =>
      random.chance(0.05) ? [] : [[key, random.chance(0.3) ? damage(random, item) : item]],
    );
    if (random.chance(0.1)) entries.push([JSON.stringify(random.pick(hostile)), random.pick(hostile)]);
    return Object.fromEntries(entries) as unknown;
  }

  test(
    '6,000 of them are answered, and the kernel is asked for nothing but our own tables',
    { timeout: 120_000 },
    async () => {
      const random = new SeededRandom(20_260);
      const text = (): string => JSON.stringify(random.pick(hostile)).slice(0, 90);
      const kernel = new RecordingKernel();
      let answered = 0;
      let accepted = 0;
      const open = (): KernelService => {
        const service = new KernelService({
          send: (reply) => {
            answered += 1;
            if ('ok' in reply && reply.ok) accepted += 1;
          },
          openFirewall: (facts) => NftablesFirewall.create({ ...facts, kernel, isBridge: () => true }),
        });
        onTestFinished(() => service[Symbol.asyncDispose]());
        return service;
      };
      let service = open();
      for (let round = 0; round < 6000; round += 1) {
        if (round % 150 === 0) service = open(); // a fresh allowance: what is too much is another test
        const scope = random.pick(['ip', 'cidr', 'port', 'ip+port', 'device', 'pair'] as const);
        const message = random.pick<unknown>([
          {
            op: 'add',
            id: round,
            decisions: [restriction({ scope, value: random.chance(0.5) ? text() : text().replaceAll('"', '') })],
          },
          { op: 'add', id: round, decisions: [restriction({ value: `203.0.113.${random.below(256)}` })] },
          { op: 'remove', id: round, ids: [restriction().id] },
          { ...hold, id: round, addresses: { 'aa:bb:cc:dd:ee:ff': ['192.168.1.7', 'fd00::7'] } },
          { op: 'read', id: round, now_ms },
          { op: 'clear', id: round },
          { op: 'declare', id: round, fail_policy: 'open' },
        ]);
        await service.serve(random.chance(0.8) ? damage(random, message) : message);
      }
      expect(answered).toBe(6000);
      expect(accepted).toBeGreaterThan(300);
      expect(kernel.commands.length).toBeGreaterThan(1000);
      for (const command of kernel.commands) expect(tableOf(command)).toMatch(/^(inet|bridge) picket$/);
      const said = JSON.stringify(kernel.commands);
      for (const word of ['ruleset', 'localhost', 'passwd', 'shadow', '0.0.0.0/0', '999.1', 'delete table']) {
        expect(said).not.toContain(word);
      }
      for (const args of kernel.forgotten) expect(args[0]).toBe('-D');
    },
  );
});

/** Family and table that a command acts on. */
function tableOf(command: unknown): string {
  const [action] = Object.values(command as Record<string, Record<string, Record<string, unknown>>>);
  const [[kind, what] = []] = Object.entries(action ?? {});
  return `${String(what?.['family'])} ${String(kind === 'table' ? what?.['name'] : what?.['table'])}`;
}

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
