import { expect, test } from 'vitest';
import type { RolloutGatewayState } from '@picket/shared/contract/stored-rollout';
import type { ReportedStep } from '@picket/shared/contract/twin';
import { judge, nextStep, silenceMs, type FleetGateway, type Released } from './plan-rollout.ts';

function gateway(id: string, changes: Partial<FleetGateway> = {}): FleetGateway {
  return { id, online: true, isCanary: false, confirms: true, reported: undefined, ...changes };
}
function given(gatewayId: string, state: RolloutGatewayState, wave = 0): Released {
  return { gatewayId, wave, state, version: 4, releasedAtMs: 0 };
}
const reporting = (step: ReportedStep, version = 4): FleetGateway =>
  gateway('a', { reported: { version, step, detail: 'why' } });
const fleetOf = (count: number): FleetGateway[] =>
  Array.from({ length: count }, (_, index) => gateway(`gw-${String(index).padStart(3, '0')}`));

test.each([
  ['confirmed', 4, 'confirmed'],
  ['confirmed', 5, 'confirmed'],
  ['confirmed', 3, undefined],
  ['verified', 4, undefined],
  ['rolled_back', 4, 'rolled_back'],
  ['failed', 4, 'failed'],
  ['refused', 4, 'failed'],
  ['refused', 3, undefined],
] as const)('a gateway that reports %s of version %d is %s', (step, version, expected) => {
  expect(judge([given('a', 'released')], [reporting(step, version)], 0)[0]?.state).toBe(expected);
});

test('an agent that cannot confirm has done enough when it verified', () => {
  const old = { ...reporting('verified'), confirms: false };
  expect(judge([given('a', 'released')], [old], 0)).toMatchObject([{ state: 'confirmed' }]);
});

test('who says nothing for long is silent; who is not signed for yet is not judged', () => {
  expect(judge([given('a', 'released')], [gateway('a')], silenceMs - 1)).toEqual([]);
  expect(judge([given('a', 'released')], [gateway('a')], silenceMs)).toMatchObject([{ state: 'silent' }]);
  expect(judge([{ ...given('a', 'released'), version: null }], [gateway('a')], silenceMs)).toEqual([]);
});

test('canaries first, then a quarter, then everybody', () => {
  const fleet = fleetOf(100);
  const released: Released[] = [];
  const sizes: number[] = [];
  for (;;) {
    const step = nextStep(released, fleet);
    if (step.kind !== 'release') {
      expect(step.kind).toBe('complete');
      break;
    }
    sizes.push(step.gatewayIds.length);
    released.push(...step.gatewayIds.map((id) => given(id, 'confirmed', step.wave)));
  }
  expect(sizes).toEqual([5, 25, 70]);
  expect(new Set(released.map(({ gatewayId }) => gatewayId)).size).toBe(100);
});

test('those that the owner calls canaries are the first', () => {
  const fleet = [...fleetOf(10), gateway('z', { isCanary: true }), gateway('y', { isCanary: true, online: false })];
  expect(nextStep([], fleet)).toEqual({ kind: 'release', wave: 0, gatewayIds: ['z'] });
});

test('the next wave waits for all of this one, and one put-back undoes it all', () => {
  const fleet = fleetOf(3);
  expect(nextStep([given('gw-000', 'released')], fleet)).toEqual({ kind: 'wait' });
  expect(nextStep([given('gw-000', 'rolled_back')], fleet)).toEqual({
    kind: 'roll_back',
    detail: 'gw-000 put it back',
  });
  expect(nextStep([given('gw-000', 'confirmed'), given('gw-001', 'failed', 1)], fleet).kind).toBe('roll_back');
  expect(nextStep([given('gw-000', 'silent')], fleet).kind).toBe('halt');
});

test('gateways that are away hold nobody up, but without any proof nothing is done', () => {
  const away = gateway('b', { online: false });
  expect(nextStep([], [away])).toEqual({ kind: 'wait' });
  expect(nextStep([given('a', 'confirmed')], [gateway('a'), away])).toEqual({ kind: 'complete' });
  expect(nextStep([], [])).toEqual({ kind: 'complete' });
});

test('a gateway that is revoked meanwhile holds nobody up and undoes nothing', () => {
  const left = [given('gone', 'released'), given('a', 'confirmed')];
  expect(judge(left, [gateway('a')], silenceMs)).toEqual([]);
  expect(nextStep(left, [gateway('a')])).toEqual({ kind: 'complete' });
});
