/** Whatever is seen. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyRule, anyWindow } from '../testing/any-windows.ts';
import { Gateway, window } from '../testing/prevention-gateway.ts';
import { parseDecisionValue } from './decision-value.ts';
import { guardedAddress } from './guarded-address.ts';
import type { PreventionOptions } from './prevention.ts';
import { networkLength } from './source-prefix.ts';

test('whatever is seen, nothing is asked for that the guard would refuse, that is too wide, or that never ends', () => {
  const own = ['192.168.1.1', 'fd00::1', '203.0.1.7', '2001:db8:1:1::1'];
  const asked = new Map<string, number>();
  fc.assert(
    fc.property(anyRule, fc.array(anyWindow, { minLength: 20, maxLength: 60 }), (tried, sketches) => {
      const isGuarded: PreventionOptions['isGuarded'] = (scope, value) => {
        const parsed = parseDecisionValue(scope, value);
        return !parsed.ok || guardedAddress(parsed.target, own) !== undefined;
      };
      const gateway = new Gateway([tried], { isGuarded, ownAddresses: () => new Set(own) });
      let at = 0;
      for (const { family, device: hosts, attack, pause, flows, score } of sketches) {
        at += pause;
        const device = hosts[family];
        const seen = window(
          at,
          attack,
          flows.map(({ outside, inside, flow }) => {
            const peer = (flow.direction === 'internal' ? inside : outside)[family];
            return flow.direction === 'outbound'
              ? { ...flow, direction: 'outbound', srcIp: device, dstIp: peer }
              : { ...flow, direction: flow.direction, srcIp: peer, dstIp: device };
          }),
          device,
        );
        const taken = gateway.see({ ...seen, score });
        expect(taken.length).toBeLessThanOrEqual(11);
        for (const { restriction, durationSeconds, proof, times: nth } of taken) {
          const kind = `${restriction.action} ${restriction.scope}`;
          asked.set(kind, (asked.get(kind) ?? 0) + 1);
          expect(score).toBeGreaterThanOrEqual(tried.threshold ?? 0.5);
          expect(proof.hits).toBeGreaterThanOrEqual(tried.min_windows);
          expect(durationSeconds).toBeGreaterThanOrEqual(tried.duration_seconds);
          expect(durationSeconds).toBeLessThanOrEqual(
            Math.max(tried.duration_seconds, tried.escalation?.max_duration_seconds ?? 0),
          );
          expect(nth).toBeGreaterThanOrEqual(1);
          const parsed = parseDecisionValue(restriction.scope, restriction.value);
          expect(parsed.ok && parsed.value, `${restriction.scope} ${restriction.value}`).toBe(restriction.value);
          if (!parsed.ok) continue;
          if (parsed.target.scope === 'cidr') {
            expect(parsed.target.prefix).toBeGreaterThanOrEqual(networkLength[parsed.target.family]);
            expect(guardedAddress(parsed.target, own)).toBeUndefined();
          }
          if (restriction.action === 'quarantine' || restriction.action === 'no_wan') {
            expect(restriction.scope).toBe('device');
            expect(own).not.toContain(restriction.value);
          }
          if (restriction.action === 'block' && restriction.scope === 'ip')
            expect(own).not.toContain(restriction.value);
        }
      }
    }),
    { numRuns: 150 },
  );
  // every kind of restriction came up, or the property says nothing about it
  const kinds = ['block ip', 'block cidr', 'block pair', 'rate_limit ip', 'rate_limit device', 'no_wan device'];
  for (const kind of [...kinds, 'quarantine device']) expect(asked.get(kind) ?? 0, kind).toBeGreaterThan(0);
});
