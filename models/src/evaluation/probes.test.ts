/** The windows that probes put together, by a predictor that says what it was shown. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { FlowRows, slidingWindows, emptyDataset } from '../dataset/flow-rows.ts';
import type { Dataset } from '../dataset/flow-rows.ts';
import { classCount } from '../network/network-parameters.ts';
import type { ScorableWindows } from '../network/scorer.ts';
import type { Predictor } from './predictor.ts';
import { probeSource, shortFigures, slowedFigures } from './probes.ts';

/** Twenty flows of an attack and twenty honest ones, two seconds apart. */
function dataset(): Dataset {
  const made = emptyDataset();
  for (const trafficClass of ['port_scan', 'benign'] as const) {
    const numbers = Array.from({ length: 20 }, (_, flow) => {
      const atUs = flow * 2e6;
      const setting = { startUs: atUs, lastUs: atUs, pair: 1, direction: 0, recentOfDevice: 8, recentOfPeer: 8 };
      const values = new Float32Array(featureCount).fill(flow + 1);
      return made.rows.add(values, trafficClass, '', -1, 0, { ...setting, deviceSinceUs: 0, peerSinceUs: 0 });
    });
    const key = { source: 'made', group: 'a', capture: trafficClass, device: trafficClass, part: 'test' as const };
    const atUs = Float64Array.from(numbers, (_, flow) => flow * 2e6);
    made.sequences.push({ ...key, windows: slidingWindows(numbers), atUs, counts: new Uint8Array(20) });
  }
  return made;
}

/** Keeps what it is asked, and takes everything for an attack. */
function listener(): { readonly asked: ScorableWindows[]; readonly predictor: Predictor } {
  const asked: ScorableWindows[] = [];
  const score = (windows: ScorableWindows): Float32Array => {
    asked.push(windows);
    return new Float32Array(windows.count * classCount);
  };
  return { asked, predictor: { name: 'listener', score } };
}

test('an attack that takes its time has older flows, and fewer of late', async () => {
  const data = dataset();
  const { asked, predictor } = listener();
  const figures = await slowedFigures(data, probeSource(data, 'test', 'made', 1), predictor, 0.5);
  expect(figures.map(({ pace, recall }) => [pace, recall])).toEqual([
    [2, 1],
    [5, 1],
    [10, 1],
  ]);
  const firstFlow = asked.map(({ flowContext }) => Array.from(flowContext.subarray(0, flowContextWidth)));
  expect(firstFlow.map(([age]) => age)).toEqual([36, 90, 180]);
  const newestOfPeer = asked.map(({ flowContext }) => flowContext[flowContextSize - flowContextWidth + 4]!);
  expect(newestOfPeer[1]!).toBeLessThan(newestOfPeer[0]!);
  expect(newestOfPeer[2]!).toBeLessThan(newestOfPeer[1]!);
});

test('short windows hold the newest flows alone, or the same over and over with the newest last', async () => {
  const data = dataset();
  const { asked, predictor } = listener();
  const figures = await shortFigures(data, probeSource(data, 'test', 'made', 1), predictor, 0.5);
  expect(figures.map(({ flows, recall, false_alarm_share }) => [flows, recall, false_alarm_share])).toEqual([
    [2, 1, 1],
    [3, 1, 1],
    [5, 1, 1],
  ]);
  expect(asked.map(({ flowsSeen }) => flowsSeen[0])).toEqual([2, 10, 2, 10, 3, 10, 3, 10, 5, 10, 5, 10]);
  const flowsOf = (windows: ScorableWindows): number[] =>
    Array.from({ length: 10 }, (_, slot) => windows.windows[slot * featureCount + 2]!);
  const [empty, full] = [flowsOf(asked[4]!), flowsOf(asked[5]!)];
  expect(empty.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => 0));
  const [a, b, c] = empty.slice(7);
  expect(full).toEqual([c, a, b, c, a, b, c, a, b, c]);
});

test('without attack or honest windows there is nothing to say', async () => {
  const { predictor } = listener();
  const nothing = { rows: new FlowRows(), sequences: [], episodes: [], listenings: [] };
  const source = probeSource(nothing, 'test', 'made', 1);
  expect(await slowedFigures(nothing, source, predictor, 0.5)).toEqual([]);
  expect(await shortFigures(nothing, source, predictor, 0.5)).toEqual([]);
});
