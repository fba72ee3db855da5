/** Windows and rules of any kind, for properties that hold whatever is seen. */
import fc from 'fast-check';
import { DecisionDirection } from '../contract/decision.ts';
import { DeviceStep, RuleAction } from '../contract/rule.ts';
import { trafficClasses } from '../features/traffic-classes.ts';
import { rule } from './prevention-gateway.ts';

/** The same host in both families. */
const outsideHost = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 255 })).map(([net, host]) => ({
  v4: `203.0.${net}.${host}`,
  v6: `2001:db8:${net}:${((host & 15) + 1).toString(16)}::${host.toString(16)}`,
}));
const insideHost = fc.integer({ min: 1, max: 40 }).map((host) => ({
  v4: `192.168.1.${host}`,
  v6: `fd00::${host.toString(16)}`,
}));
const count = fc.integer({ min: 0, max: 2000 });
export const anyFlow = fc
  .record({
    outside: outsideHost,
    inside: insideHost,
    direction: fc.constantFrom('inbound', 'outbound', 'internal'),
    dstPort: fc.integer({ min: 0, max: 65_535 }),
    protocol: fc.constantFrom(1, 6, 17),
    fwdPackets: count,
    bwdPackets: count,
    fwdBytes: count,
    bwdBytes: count,
  })
  .map(({ outside, inside, ...flow }) => ({ outside, inside, flow }));
export const anyWindow = fc.record({
  family: fc.constantFrom('v4' as const, 'v6' as const),
  device: fc.constantFrom(
    { v4: '192.168.1.1', v6: 'fd00::1' },
    { v4: '192.168.1.20', v6: 'fd00::14' },
    { v4: '192.168.1.21', v6: 'fd00::15' },
  ),
  attack: fc.constantFrom(...trafficClasses.filter((name) => name !== 'benign')),
  pause: fc.integer({ min: 0, max: 400 }),
  flows: fc.array(anyFlow, { minLength: 1, maxLength: 10 }),
  score: fc.constantFrom(0.2, 0.5, 0.9, 0.99),
});
export const anyRule = fc
  .record({
    action: fc.constantFrom(...RuleAction.options),
    device_ladder: fc.uniqueArray(fc.constantFrom(...DeviceStep.options), { maxLength: 5 }),
    direction: fc.option(fc.constantFrom(...DecisionDirection.options)),
    min_windows: fc.integer({ min: 1, max: 4 }),
    cooldown_seconds: fc.integer({ min: 0, max: 300 }),
    duration_seconds: fc.integer({ min: 10, max: 7200 }),
    escalation: fc.option(
      fc.record({
        factor: fc.integer({ min: 1, max: 24 }),
        max_duration_seconds: fc.integer({ min: 10, max: 86_400 }),
        forget_after_seconds: fc.integer({ min: 60, max: 86_400 }),
      }),
    ),
  })
  .map((changes) => rule({ ...changes, of_windows: 4 }));
