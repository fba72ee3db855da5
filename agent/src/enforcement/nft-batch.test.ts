import { expect, test } from 'vitest';
import type { DecisionId } from '@picket/shared/contract/identifiers';
import { decision } from '../testing/decisions.ts';
import { connectionCuts } from './cut-connections.ts';
import { ElementPlan } from './element-plan.ts';
import { emptyGuard } from './guard.ts';
import { changeBatch, fullBatch } from './nft-batch.ts';

const nowMs = Date.UTC(2026, 0, 1);
const options = { nowMs, addressesOf: () => ['192.168.1.30', 'fd00::30'] };
const in10Minutes = new Date(nowMs + 600_000).toISOString();

function elementsOf(...changes: readonly Parameters<typeof decision>[0][]): readonly string[] {
  const decisions = changes.map((change) => decision({ expires_at: in10Minutes, ...change }, nowMs));
  return [...ElementPlan.of(decisions, options).elements.keys()];
}

test.each([
  [{ direction: 'from' }, ['drop_ipv4_from 203.0.113.9']],
  [{ direction: 'both' }, ['drop_ipv4_both 203.0.113.9']],
  [{ value: '2001:DB8:0::9', direction: 'to' }, ['drop_ipv6_to 2001:db8::9']],
  [{ mode: 'simulate', direction: 'to' }, ['countdrop_ipv4_to 203.0.113.9']],
  [{ mode: 'observe' }, []],
  [{ action: 'rate_limit', direction: 'from' }, ['limit_ipv4_from 203.0.113.9']],
  [{ action: 'rate_limit', mode: 'simulate', direction: 'from' }, ['countlimit_ipv4_from 203.0.113.9']],
  [{ scope: 'cidr', value: '198.51.100.9/20', direction: 'from' }, ['drop_ipv4_20_from 198.51.96.0']],
  [{ scope: 'cidr', value: '198.51.100.9/32', direction: 'from' }, ['drop_ipv4_from 198.51.100.9']],
  [{ scope: 'cidr', value: '2001:db8::/64', direction: 'to' }, ['drop_ipv6_64_to 2001:db8::']],
  [{ scope: 'port', value: 'udp/1900', direction: 'to' }, ['drop_port_to udp . 1900']],
  [
    { scope: 'ip+port', value: '203.0.113.9 tcp/22', direction: 'from' },
    ['drop_ipv4_service_from 203.0.113.9 . tcp . 22'],
  ],
  [
    { scope: 'pair', value: '203.0.113.9 192.168.1.20', direction: 'both' },
    ['drop_ipv4_pair 203.0.113.9 . 192.168.1.20', 'drop_ipv4_pair 192.168.1.20 . 203.0.113.9'],
  ],
  [
    { scope: 'device', value: '02:00:00:00:00:30', action: 'quarantine', direction: 'from' },
    ['drop_mac 02:00:00:00:00:30', 'drop_ipv4_from 192.168.1.30', 'drop_ipv6_from fd00::30'],
  ],
  [{ expires_at: new Date(nowMs).toISOString() }, []],
] as const)('%j needs the elements %j', (change, elements) => {
  expect(elementsOf(change)).toEqual(elements);
});

test('a set that is made with thousands of elements has room for all that may ever be held', () => {
  const sizes = (count: number): readonly unknown[] => {
    const decisions = Array.from({ length: count }, (_, index) =>
      decision({ value: `100.64.${index >> 8}.${index & 255}`, expires_at: in10Minutes }, nowMs),
    );
    const commands = fullBatch('inet', ElementPlan.of(decisions, options), { ...batchOptions, counters: new Map() });
    return commands.flatMap(({ add }) => {
      const { set } = (add ?? {}) as { readonly set?: { readonly name: string; readonly size?: number } };
      return set?.name === 'drop_ipv4_both' ? [set.size] : [];
    });
  };
  expect(sizes(999)).toEqual([undefined]);
  // 20,000 decisions may be pairs, which are two elements each
  expect(sizes(1000)).toEqual([expect.toSatisfy((size: number) => size > 40_000)]);
});

test('where two decisions need the same element, it lasts as long as the longer one', () => {
  const short = decision({ expires_at: new Date(nowMs + 60_000).toISOString() }, nowMs);
  const long = decision({ expires_at: in10Minutes }, nowMs);
  for (const order of [
    [short, long],
    [long, short],
  ]) {
    const { elements, decisions } = ElementPlan.of(order, options);
    const keysOf = (id: DecisionId) => decisions.get(id)?.elements.map(({ key }) => key);
    expect([...elements.values()].map((element) => element.decisionId)).toEqual([long.id]);
    expect(keysOf(short.id)).toEqual(keysOf(long.id));
    expect(keysOf(short.id)).toHaveLength(1);
  }
});

test('a value that may not be restricted stops the whole plan', () => {
  const bad = decision({ value: 'localhost' }, nowMs);
  expect(() => ElementPlan.of([decision({}, nowMs), bad], options)).toThrow(
    `decision ${bad.id}: "localhost" is not an IPv4 or IPv6 address`,
  );
});

const guard = {
  ...emptyGuard,
  neverBlock: ['10.0.0.0/8', '10.1.0.0/16'],
  adminPrefixes: ['10.0.0.0/24'],
  managementPorts: [22],
};
const batchOptions = { guard, rateLimit: { packetsPerSecond: 50, burstPackets: 100 }, nowMs };
const counters = new Map([['drop_ipv4_to', { packets: 5, bytes: 6 }]]);

test.each(['inet', 'bridge'] as const)(
  'no command names a table but our own of %s, and the guard comes first',
  (family) => {
    const modes = ['enforce', 'simulate'] as const;
    const decisions = modes.map((mode) => decision({ expires_at: in10Minutes, mode }, nowMs));
    const ruleset = ElementPlan.of(decisions, options);
    const text = JSON.stringify(fullBatch(family, ruleset, { ...batchOptions, counters }));
    expect(text).not.toContain('flush');
    expect(new Set(text.matchAll(/"table":("[^"]*")/g).map((found) => found[1]))).toEqual(new Set(['"picket"']));
    expect(new Set(text.matchAll(/"family":"([^"]*)"/g).map((found) => found[1]))).toEqual(new Set([family]));
    expect(text).toContain('"name":"drop_ipv4_to","packets":5,"bytes":6');
    for (const hook of family === 'inet' ? ['input', 'output', 'forward'] : ['forward']) {
      const [, ...jumps] = text.split(`"chain":"${hook}","expr":[{"jump":{"target":"`);
      expect(jumps.map((jump) => jump.split('"')[0])).toEqual([`guard_${hook}`, 'simulated', 'decisions']);
    }
  },
);

test('on a bridge a device in quarantine is told by its MAC on both sides, elsewhere by the sender', () => {
  const quarantine = decision({ scope: 'device', value: '02:00:00:00:00:30', expires_at: in10Minutes }, nowMs);
  const onBridge = ElementPlan.of([quarantine], { ...options, isBridge: true });
  const sets = (family: 'inet' | 'bridge'): readonly string[] =>
    JSON.stringify(fullBatch(family, onBridge, { ...batchOptions, counters: new Map() })).match(/drop_mac\w*/g) ?? [];
  expect(new Set(sets('bridge'))).toEqual(new Set(['drop_mac', 'drop_mac_to']));
  expect(new Set(sets('inet'))).toEqual(new Set(['drop_mac']));
  expect([...ElementPlan.of([quarantine], options).sets.keys()]).not.toContain('drop_mac_to');
});

test('a change names only what differs, and nothing that has run out', () => {
  const at = (value: string, seconds = 600) =>
    decision({ value, direction: 'from', expires_at: new Date(nowMs + seconds * 1000).toISOString() }, nowMs);
  const stays = at('203.0.113.1');
  const plan = ElementPlan.of([stays, at('203.0.113.2'), at('203.0.113.3', 1)], options);
  const later = { ...options, nowMs: nowMs + 2000 };
  const change = plan.compare([stays, at('203.0.113.4')], later);
  const changeOptions = { ...batchOptions, nowMs: later.nowMs, withGuard: false, counters };
  const text = JSON.stringify(changeBatch('inet', plan.sets, change, changeOptions).commands);
  expect(text.includes('203.0.113.2') && text.includes('203.0.113.4')).toBe(true);
  expect(text.includes('203.0.113.1') || text.includes('203.0.113.3')).toBe(false);
  expect(text.includes('"set"') || text.includes('guard')).toBe(false);
});

test('a set that is new is made with its rule, and a guard that is new takes the place of the old one', () => {
  const one = decision({ direction: 'from', expires_at: in10Minutes }, nowMs);
  const other = decision({ direction: 'to', expires_at: in10Minutes }, nowMs);
  const plan = ElementPlan.of([one], options);
  const change = changeBatch('inet', plan.sets, plan.compare([one, other], options), {
    ...batchOptions,
    withGuard: true,
    counters: new Map(),
  });
  expect(change.come).toEqual(['drop_ipv4_to']);
  const text = JSON.stringify(change.commands);
  expect(text).toContain('"right":"@drop_ipv4_to"');
  expect(text).toContain('{"add":{"counter":{"family":"inet","table":"picket","name":"drop_ipv4_to"');
  expect(text.indexOf('"flush":{"chain"')).toBeLessThan(text.indexOf('"chain":"guard_input","expr"'));
  expect(text).not.toContain('ruleset');
});

test('a hook is there while there is a set to look in, and a packet meets no chain that holds nothing', () => {
  const hooksAndJumps = (commands: readonly unknown[]): readonly string[] =>
    Array.from(JSON.stringify(commands).matchAll(/"hook":"(\w+)"|"target":"(\w+)"/g), ([, hook, to]) => hook ?? to!);
  const block = decision({ direction: 'from', expires_at: in10Minutes }, nowMs);
  const counted = decision({ direction: 'to', mode: 'simulate', expires_at: in10Minutes }, nowMs);
  const all = { ...batchOptions, guard: emptyGuard, counters: new Map() };
  const plan = ElementPlan.of([], options);
  expect(hooksAndJumps(fullBatch('inet', plan, all))).toEqual([]);
  // a rule that asks for the state of a connection has the kernel track all of them
  expect(JSON.stringify(fullBatch('inet', plan, { ...all, guard }))).not.toContain('"ct"');
  const become = (...decisions: readonly Parameters<typeof plan.compare>[0][number][]): readonly unknown[] => {
    const change = plan.compare(decisions, options);
    const { commands } = changeBatch('inet', plan.sets, change, { ...all, withGuard: false });
    plan.commit(change);
    return commands;
  };
  const every = ['input', 'output', 'forward'];
  const jumps = (...to: readonly string[]): readonly string[] => ['guard_input', ...to, 'guard_output', ...to, ...to];
  expect(hooksAndJumps(become(block))).toEqual([...every, ...jumps('decisions')]);
  expect(hooksAndJumps(become(block, counted))).toEqual(jumps('simulated', 'decisions'));
  expect(hooksAndJumps(become(counted))).toEqual(jumps('simulated'));
  const last = become();
  expect(hooksAndJumps(last)).toEqual([]);
  const deleted = last.filter((command) => 'delete' in (command as object));
  expect(JSON.stringify(deleted).match(/"name":"\w+"/g)).toEqual(
    [...every, 'countdrop_ipv4_to'].map((name) => `"name":"${name}"`),
  );
});

test('a packet of which nothing is in any set is let go by one rule, unless that would be too many lookups', () => {
  const rulesOf = (...changes: readonly Parameters<typeof decision>[0][]): readonly string[] => {
    const decisions = changes.map((change) => decision({ expires_at: in10Minutes, ...change }, nowMs));
    const commands = fullBatch('inet', ElementPlan.of(decisions, options), { ...batchOptions, counters: new Map() });
    return commands
      .map((command) => JSON.stringify(command))
      .filter((text) => text.includes('"chain":"forward","expr"'));
  };
  const [v4, v6] = rulesOf({}, { scope: 'port', value: 'udp/1900', direction: 'to' });
  expect(v4?.match(/"op":"!=","left"/g)).toHaveLength(3);
  expect(v4?.match(/"right":"@\w+"/g)).toEqual(
    ['drop_ipv4_both', 'drop_ipv4_both', 'drop_port_to'].map((set) => `"right":"@${set}"`),
  );
  expect(v6).toContain('"right":"ipv6"');
  expect(v6?.match(/"right":"@\w+"/g)).toEqual(['"right":"@drop_port_to"']);
  const prefixes = Array.from(
    { length: 13 },
    (_, index) => ({ scope: 'cidr', value: `198.51.100.0/${16 + index}` }) as const,
  );
  expect(rulesOf(...prefixes.slice(0, 12))[0]).toContain('"op":"!="');
  expect(rulesOf(...prefixes)[0]).toContain('"right":"ipv6"');
});

test.each([
  [{ direction: 'from' }, ['-D -f ipv4 -s 203.0.113.9', '-D -f ipv4 -r 203.0.113.9']],
  [
    { scope: 'ip+port', value: '203.0.113.9 tcp/22', direction: 'from' },
    ['-D -f ipv4 -s 203.0.113.9 -p tcp --dport 22'],
  ],
  [{ scope: 'cidr', value: '2001:db8::/64' }, ['-D -f ipv6 -s 2001:db8::/64', '-D -f ipv6 -d 2001:db8::/64']],
  [{ scope: 'port', value: 'tcp/23', direction: 'to' }, ['-D -p tcp --dport 23']],
  [
    { scope: 'pair', value: '203.0.113.9 192.168.1.20' },
    ['-D -f ipv4 -s 203.0.113.9 -r 192.168.1.20', '-D -f ipv4 -s 192.168.1.20 -r 203.0.113.9'],
  ],
  [
    { scope: 'device', value: '02:00:00:00:00:30', action: 'quarantine' },
    ['-D -f ipv4 -s 192.168.1.30', '-D -f ipv4 -r 192.168.1.30'],
  ],
  [{ value: '192.0.2.53' }, []],
  [{ mode: 'simulate' }, []],
  [{ action: 'rate_limit' }, []],
  [{ value: '10.0.0.5' }, []],
] as const)('%j cuts the connections %j', (change, cuts) => {
  const guard = { ...emptyGuard, adminPrefixes: ['10.0.0.0/24'], dnsServers: ['192.0.2.53'] };
  expect(connectionCuts(decision(change), guard, () => ['192.168.1.30']).map((args) => args.join(' '))).toEqual(cuts);
});
