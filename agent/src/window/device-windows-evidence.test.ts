/** Which windows count as evidence: those in which enough is new since the last that counted. */
import { expect, test } from 'vitest';
import type { FlowRow } from '../testing/flow-rows.ts';
import { WindowsBench, benchStartUs } from '../testing/windows-bench.ts';

test('a window counts as evidence once five flows are new or updated since the last that counted', () => {
  const windows = new WindowsBench();
  const counted: boolean[] = [];
  for (let flow = 0; flow < 12; flow++) {
    windows.add(flow * 1000, { flowNumber: flow });
    counted.push(...windows.take().map((context) => context.countsAsEvidence));
  }
  expect(counted.map(Number)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
});

/** Reports of one flow, each `[second, packets until then]`; which of the windows they make count as evidence. */
function evidenceOfReports(
  reports: readonly (readonly [atSecond: number, packets: number])[],
  end: FlowRow['end'] = 'report',
): number[] {
  const windows = new WindowsBench();
  return reports.map(([atSecond, packets], reportNumber) => {
    windows.add(atSecond * 1000, {
      flowNumber: 1,
      reportNumber,
      startedAtUs: benchStartUs,
      end,
      features: { 'Total Fwd Packets': packets },
    });
    return Number(windows.take()[0]?.countsAsEvidence ?? false);
  });
}

test('a flood in one flow counts with each report, not only with every fifth', () => {
  expect(
    evidenceOfReports([
      [0.1, 64],
      [5.1, 5064],
      [10.1, 10_064],
    ]),
  ).toEqual([1, 1, 1]);
});

test('a flow that trickles, has stopped, or has ended counts one with each report', () => {
  expect(
    evidenceOfReports([
      [2, 64],
      [7, 300],
      [12, 340],
      [17, 380],
      [22, 420],
      [27, 460],
    ]),
  ).toEqual([0, 0, 0, 0, 1, 0]);
  expect(
    evidenceOfReports([
      [0.1, 64],
      [5.1, 5064],
      [10.1, 5064],
      [15.1, 5064],
    ]),
  ).toEqual([1, 1, 0, 0]);
  expect(evidenceOfReports([[0.5, 900]], 'closed')).toEqual([0]);
});

test('one surge makes one window count, whatever else the device does', () => {
  const windows = new WindowsBench();
  windows.add(100, { flowNumber: 1, end: 'report', startedAtUs: benchStartUs, features: { 'Total Fwd Packets': 500 } });
  windows.add(500, { flowNumber: 2 });
  windows.add(1000, { flowNumber: 3 });
  expect(windows.take().map(({ countsAsEvidence, freshFlows }) => [countsAsEvidence, freshFlows])).toEqual([
    [true, 1],
    [false, 1],
    [false, 2],
  ]);
});
