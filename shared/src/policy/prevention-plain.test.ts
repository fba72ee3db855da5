/** What is plain from the flows, beside what the network says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyFlow } from '../testing/any-windows.ts';
import { camera, halfOpen, startUs } from '../testing/judged-flows.ts';
import { Gateway, rule, talk, times, window } from '../testing/prevention-gateway.ts';
import { defaultRules } from './default-rules.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from './judged-window.ts';

test('a forged flood is answered at its target from its second window on, however unsure the network is', () => {
  const unsure = (at: number, more: Partial<JudgedFlow> = {}): JudgedWindow => ({
    ...window(
      at,
      'other_attack',
      times(10, (index) => ({
        srcIp: `203.${at * 4}.${index}.9`,
        startedAtUs: startUs + at * 1e6 + index * 1000,
        ...halfOpen,
        ...more,
      })),
    ),
    score: 0.3,
  });
  const gateway = new Gateway(defaultRules);
  gateway.see(unsure(0));
  expect(gateway.words, 'one window is no proof').toEqual([]);
  gateway.see(unsure(0.25), unsure(0.5), unsure(0.75));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
  expect(gateway.taken[0]?.proof).toMatchObject({ attack: 'ddos_flood', hits: 2, of: 2, flood: { port: 80 } });

  const visited = new Gateway(defaultRules);
  visited.see(...[0, 0.25, 0.5, 0.75].map((at) => unsure(at, talk)));
  expect(visited.words, 'who talks is asked of the network').toEqual([]);
  const other = new Gateway([rule({ classes: ['port_scan'] })]);
  other.see(...[0, 0.25, 0.5, 0.75].map((at) => unsure(at)));
  expect(other.words, 'a rule for other classes').toEqual([]);
});

/** Eight forged knocks on tcp/80, in the second `at`, before whatever else the device sees. */
const besideKnocks = (
  at: number,
  others: readonly Partial<JudgedFlow>[],
  {
    attack = 'other_attack',
    score = 0.01,
    knocks = {},
  }: { attack?: AttackClass; score?: number; knocks?: object } = {},
): JudgedWindow => {
  const startedAtUs = startUs + at * 1e6;
  const forged = times(8, (index) => ({
    srcIp: `198.${at + 18}.${index}.7`,
    startedAtUs: startedAtUs + index * 2000,
    ...halfOpen,
    ...knocks,
  }));
  const flows = [...forged, ...others.map((flow) => ({ startedAtUs, ...flow }))];
  return { ...window(at, attack, flows), score };
};

test('forged knocks have nobody blocked or quarantined, whatever else the device sees meanwhile', () => {
  const log = { srcIp: '192.168.1.77', dstPort: 514, protocol: 17, fwdPackets: 3, bwdPackets: 0, fwdBytes: 300 };
  const logs = times(2, (): Partial<JudgedFlow> => ({ ...log, direction: 'internal' }));
  const repeated = { bwdPackets: 3, synPackets: 4, ackPackets: 3 };
  const flowImportance = [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5]; // the network leans on the logs
  const logged = new Gateway(defaultRules);
  logged.see(...times(4, (at) => ({ ...besideKnocks(at, logs, { knocks: repeated }), flowImportance })));
  expect(logged.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);

  const sketch = fc.record({ flow: anyFlow, isOurs: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(fc.array(sketch, { minLength: 2, maxLength: 2 }), { minLength: 6, maxLength: 12 }),
      fc.constantFrom<AttackClass>('ddos_flood', 'port_scan', 'botnet_beacon'),
      (windows, attack) => {
        const gateway = new Gateway([...defaultRules, rule()]);
        windows.forEach((sketches, at) => {
          const others = sketches.map(({ flow: { outside, inside, flow }, isOurs }): Partial<JudgedFlow> => {
            const peer = (flow.direction === 'internal' ? inside : outside).v4;
            return isOurs ? { ...flow, srcIp: camera, dstIp: peer } : { ...flow, srcIp: peer };
          });
          gateway.see(besideKnocks(at, others, { attack, knocks: repeated }));
        });
        expect([...new Set(gateway.words)]).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
      },
    ),
    { numRuns: 100 },
  );
});

test('one burst is no proof, however sure the network is: its retries are the same knocks, and a second one is another witness', () => {
  const gateway = new Gateway(defaultRules);
  const sure = { attack: 'ddos_flood', score: 0.99 } as const;
  const again = (at: number, burstAt: number): JudgedWindow => ({
    ...besideKnocks(burstAt, [], { ...sure, knocks: { bwdPackets: at + 1, synPackets: at + 2, ackPackets: at + 1 } }),
    atUs: startUs + at * 1e6,
  });
  gateway.see(...times(8, (at) => again(at, 0)));
  expect(gateway.words).toEqual([]);
  gateway.see(again(8, 8), again(9, 8));
  expect(gateway.words, 'long after the first').toEqual([]);
  gateway.see(again(10, 10));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
});

test('a restriction that had to be forgotten for another one is counted', () => {
  const gateway = new Gateway(defaultRules, { capacity: 1 });
  gateway.see(besideKnocks(0, []), besideKnocks(1, []));
  expect(gateway.prevention.evicted).toBe(0);
  gateway.see(...[40, 41].map((at) => besideKnocks(at, [], { knocks: { dstPort: 81 } })));
  expect(gateway.words).toEqual([80, 81].map((port) => `rate_limit ip+port ${camera} tcp/${port}`));
  expect(gateway.prevention.evicted).toBe(1);
});

test('a clock that was set back an hour does not make old knocks of new ones', () => {
  const gateway = new Gateway(defaultRules);
  gateway.see(besideKnocks(200, []));
  const before = (at: number): JudgedWindow => {
    const seen = besideKnocks(at, []);
    return {
      ...seen,
      atUs: seen.atUs - 3600e6,
      flows: seen.flows.map((flow) => ({ ...flow, startedAtUs: flow.startedAtUs - 3600e6 })),
    };
  };
  gateway.see(before(1), before(2));
  expect(gateway.words).toEqual([`rate_limit ip+port ${camera} tcp/80`]);
});

test('forged knocks do not hide an attack that the network sees from its own rule', () => {
  const guess = { ...talk, srcIp: '203.0.113.9', dstPort: 22, fwdPackets: 12, bwdPackets: 12 };
  const gateway = new Gateway(defaultRules);
  gateway.see(...times(4, (at) => besideKnocks(at, [guess, guess], { attack: 'brute_force_ssh', score: 0.99 })));
  expect(gateway.words.toSorted()).toEqual(['block ip 203.0.113.9', `rate_limit ip+port ${camera} tcp/80`]);
});
