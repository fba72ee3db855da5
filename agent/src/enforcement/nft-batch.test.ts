import { expect, test } from 'vitest';
import { decision } from '../testing/decisions.ts';
import { connectionCuts } from './cut-connections.ts';
import { emptyGuard } from './guard.ts';
import { changeBatch, fullBatch } from './nft-batch.ts';
import { planRuleset } from './nft-ruleset.ts';

const nowMs = Date.UTC(2026, 0, 1);
const options = { nowMs, addressesOf: () => ['192.168.1.30', 'fd00::30'] };
const in10Minutes = new Date(nowMs + 600_000).toISOString();

function elementsOf(...changes: readonly Parameters<typeof decision>[0][]): readonly string[] {
  const decisions = changes.map((change) => decision({ expires_at: in10Minutes, ...change }, nowMs));
  return [...planRuleset(decisions, options).elements.keys()];
}

test.each([
  [{ direction: 'from' }, ['drop_ipv4_from 203.0.113.9']],
  [{ direction: 'both' }, ['drop_ipv4_from 203.0.113.9', 'drop_ipv4_to 203.0.113.9']],
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

test('where two decisions need the same element, it lasts as long as the longer one', () => {
  const short = decision({ expires_at: new Date(nowMs + 60_000).toISOString() }, nowMs);
  const long = decision({ expires_at: in10Minutes }, nowMs);
  for (const order of [
    [short, long],
    [long, short],
  ]) {
    const { elements, elementsOf: byDecision } = planRuleset(order, options);
    expect([...elements.values()].map((element) => element.decisionId)).toEqual([long.id, long.id]);
    expect(byDecision.get(short.id)).toEqual(byDecision.get(long.id));
  }
});

test('a value that may not be restricted stops the whole plan', () => {
  const bad = decision({ value: 'localhost' }, nowMs);
  expect(() => planRuleset([decision({}, nowMs), bad], options)).toThrow(
    `decision ${bad.id}: "localhost" is not an IPv4 or IPv6 address`,
  );
});

test('no command names a table but our own, and the guard is jumped to first', () => {
  const commands = fullBatch(planRuleset([decision({ expires_at: in10Minutes }, nowMs)], options), {
    guard: {
      ...emptyGuard,
      neverBlock: ['10.0.0.0/8', '10.1.0.0/16'],
      adminPrefixes: ['10.0.0.0/24'],
      managementPorts: [22],
    },
    counters: { dropped: 5, wouldDrop: 6 },
    rateLimit: { packetsPerSecond: 50, burstPackets: 100 },
    nowMs,
  });
  const text = JSON.stringify(commands);
  expect(text).not.toContain('flush');
  expect(new Set(text.matchAll(/"table":("[^"]*")/g).map((found) => found[1]))).toEqual(new Set(['"picket"']));
  for (const hook of ['input', 'output', 'forward']) {
    expect(text.indexOf(`{"jump":{"target":"guard_${hook}"}}`)).toBeLessThan(
      text.indexOf('{"jump":{"target":"decisions"}}', text.indexOf(`"chain":"${hook}"`)),
    );
  }
});

test('a change names only what differs, and nothing that has run out', () => {
  const stays = decision({ value: '203.0.113.1', direction: 'from', expires_at: in10Minutes }, nowMs);
  const goes = decision({ value: '203.0.113.2', direction: 'from', expires_at: in10Minutes }, nowMs);
  const ranOut = decision(
    { value: '203.0.113.3', direction: 'from', expires_at: new Date(nowMs + 1000).toISOString() },
    nowMs,
  );
  const comes = decision({ value: '203.0.113.4', direction: 'from', expires_at: in10Minutes }, nowMs);
  const before = planRuleset([stays, goes, ranOut], options);
  const after = planRuleset([stays, comes], options);
  const text = JSON.stringify(changeBatch(before, after, nowMs + 2000));
  expect(text.includes('203.0.113.2') && text.includes('203.0.113.4')).toBe(true);
  expect(text.includes('203.0.113.1') || text.includes('203.0.113.3')).toBe(false);
  expect(
    changeBatch(
      after,
      planRuleset([stays, decision({ direction: 'to', expires_at: in10Minutes }, nowMs)], options),
      nowMs,
    ),
  ).toBeUndefined();
});

test.each([
  [{ direction: 'from' }, ['-D -f ipv4 -s 203.0.113.9', '-D -f ipv4 -d 203.0.113.9']],
  [
    { scope: 'ip+port', value: '203.0.113.9 tcp/22', direction: 'from' },
    ['-D -f ipv4 -s 203.0.113.9 -p tcp --dport 22'],
  ],
  [{ scope: 'cidr', value: '2001:db8::/64' }, ['-D -f ipv6 -s 2001:db8::/64', '-D -f ipv6 -d 2001:db8::/64']],
  [{ scope: 'port', value: 'tcp/23', direction: 'to' }, ['-D -p tcp --dport 23']],
  [{ mode: 'simulate' }, []],
  [{ action: 'rate_limit' }, []],
  [{ value: '10.0.0.5' }, []],
] as const)('%j cuts the connections %j', (change, cuts) => {
  const guard = { ...emptyGuard, adminPrefixes: ['10.0.0.0/24'] };
  expect(connectionCuts(decision(change), guard).map((args) => args.join(' '))).toEqual(cuts);
});
