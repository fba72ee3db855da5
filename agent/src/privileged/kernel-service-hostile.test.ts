/** Whatever the process with the rights is told, it asks the kernel for nothing but our own tables. */
import { expect, onTestFinished, test } from 'vitest';
import { emptyGuard } from '../enforcement/guard.ts';
import { NftablesFirewall } from '../enforcement/nftables-firewall.ts';
import { restriction } from '../testing/decisions.ts';
import { RecordingKernel } from '../testing/recording-kernel.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { KernelService } from './kernel-service.ts';
import { readRequest, Request } from './messages.ts';

const now_ms = Date.now();
const hold = { op: 'hold', id: 1, now_ms, guard: emptyGuard, addresses: {} };

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
  '6,000 hostile messages are answered, and the kernel is asked for nothing but our own tables',
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

test('whatever is asked for is read as the schema reads it, plain decisions by the thousand included', () => {
  const random = new SeededRandom(20_261);
  let taken = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const message = { op: 'add', id: round, decisions: [restriction(), restriction({ scope: 'device' })] };
    const value = random.chance(0.9) ? damage(random, message) : message;
    const { success, data } = readRequest(value);
    expect({ success, data }).toEqual({ success, data: Request.safeParse(value).data });
    if (success) taken += 1;
  }
  expect(taken).toBeGreaterThan(2000);
});

test.each([
  [
    'a key that is not its own',
    (one: object) => Object.assign(Object.create({ mode: 'enforce' }), without(one, 'mode')),
  ],
  ['a list in its place', (one: object) => Object.assign([], one)],
  ['a key more', (one: object) => ({ ...one, reason: 'test' })],
  ['another key instead', (one: object) => ({ ...without(one, 'mode'), reason: 'test' })],
  ['an instant with an offset', (one: object) => ({ ...one, expires_at: '2026-01-01T00:00:00+01:00' })],
  ['a day that there is not', (one: object) => ({ ...one, expires_at: '2026-02-30T00:00:00Z' })],
  ['an id with a line break', (one: object) => ({ ...one, id: `${restriction().id}\n` })],
  ['no value', (one: object) => ({ ...one, value: '' })],
  ['a value that is too long', (one: object) => ({ ...one, value: 'x'.repeat(101) })],
])('a decision with %s is taken by no short cut', (_, damaged) => {
  const value = { op: 'add', id: 1, decisions: [restriction(), damaged(restriction())] };
  expect(readRequest(value).success).toBe(Request.safeParse(value).success);
});

function without(one: object, key: string): object {
  return Object.fromEntries(Object.entries(one).filter(([name]) => name !== key));
}

/** Family and table that a command acts on. */
function tableOf(command: unknown): string {
  const [action] = Object.values(command as Record<string, Record<string, Record<string, unknown>>>);
  const [[kind, what] = []] = Object.entries(action ?? {});
  return `${String(what?.['family'])} ${String(kind === 'table' ? what?.['name'] : what?.['table'])}`;
}
