import { expect, test } from 'vitest';
import { checkReturnPaths } from './doctor-return-paths.ts';

const routes = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'wan0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'lan0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  '',
].join('\n');
const check = (all: number, wan0: number): readonly string[] =>
  checkReturnPaths(routes, (name) => ({ all, wan0 })[name]).map(({ state, detail }) => `${state} ${detail}`);

test('return paths must be checked strictly on the way out; loosely is not enough', () => {
  expect(check(0, 1)).toEqual(['ok wan0: return paths are checked']);
  expect(check(1, 0)).toEqual(['ok wan0: return paths are checked']);
  for (const [all, wan0] of [
    [0, 0],
    [2, 0],
    [2, 1],
    [0, 2],
  ] as const) {
    const [finding] = check(all, wan0);
    expect(finding).toMatch(/^warning who is beyond wan0 .*net\.ipv4\.conf\.wan0\.rp_filter=1/);
  }
});

test('without a default route nothing is said', () => {
  expect(checkReturnPaths(routes.split('\n').slice(0, 1).join('\n'), () => 0)).toEqual([]);
});
