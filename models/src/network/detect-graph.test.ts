/** What the detect graph says of windows: what the training graph says, and nothing of what it must not see. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { expect, test } from 'vitest';
import { buildDetectGraph, buildTrainGraph } from './bundle-graphs.ts';
import { uncalibrated, wholeDesign } from './cnn-lstm.ts';
import type { NetworkDesign } from './cnn-lstm.ts';
import { classCount, parameterCount } from './network-parameters.ts';
import {
  batch,
  flowContext,
  flowsSeen,
  open,
  parameters,
  scaler,
  trainStep,
  values,
  windowFeeds,
  windows,
} from './testing/graph-windows.ts';

test.each([
  { ...wholeDesign, recurrence: false, surroundings: false },
  { ...wholeDesign, neighbours: false, pooling: false, attention: false },
  { ...wholeDesign, attention: false, suspicion: false },
])('a network with parts left out is the same in both graphs: %o', async (design) => {
  const train = await trainStep(
    await open(buildTrainGraph(scaler, parameters, design)),
    new Float32Array(parameterCount),
  );
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design }));
  const probabilities = values(await detect.run(windowFeeds()), 'probabilities');
  for (let row = 0; row < batch; row++) {
    const logits = values(train, 'logits').slice(row * classCount, (row + 1) * classCount);
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (const [index, logit] of logits.entries()) {
      expect(probabilities[row * classCount + index]).toBeCloseTo(Math.exp(logit - largest) / total, 5);
    }
  }
});

test('a larger value than training ever saw counts as the largest it saw', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const high = Float32Array.from(windows, (value, index) => (index % featureCount === 0 ? value : 1e12));
  const higher = Float32Array.from(windows, (value, index) => (index % featureCount === 0 ? value : 3e38));
  expect(values(await detect.run(windowFeeds(high)), 'probabilities')).toEqual(
    values(await detect.run(windowFeeds(higher)), 'probabilities'),
  );
});

test('a port is seen only as being the same as others', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const renamed = windows.slice();
  for (let at = 0; at < renamed.length; at += featureCount) renamed[at] = 60_000 - renamed[at]!;
  const scattered = windows.slice();
  for (let at = 0; at < scattered.length; at += featureCount) scattered[at] = at / featureCount;
  const asIs = values(await detect.run(windowFeeds()), 'probabilities');
  expect(values(await detect.run(windowFeeds(renamed)), 'probabilities')).toEqual(asIs);
  expect(values(await detect.run(windowFeeds(scattered)), 'probabilities')).not.toEqual(asIs);
});

/** No feature's lower end is above that of a logarithm. */
const neverBelow = { ...scaler, mean: scaler.mean.map((mean) => Math.min(mean, 3)) };

const parts = Object.keys(wholeDesign) as (keyof NetworkDesign)[];
test.each([
  ['whole', wholeDesign, scaler] as const,
  ['whole, nothing too small', wholeDesign, neverBelow] as const,
  ...parts.map((part) => [`without ${part}`, { ...wholeDesign, [part]: false }, scaler] as const),
])('detect says what the training graph says, %s, and its rows sum to 1', async (_name, design, scaled) => {
  const calibration = { temperature: 1.3, offset: 0.7 };
  const detect = await open(buildDetectGraph({ scaler: scaled, parameters, calibration, design }));
  const result = await detect.run(windowFeeds());
  const train = await trainStep(
    await open(buildTrainGraph(scaled, parameters, design)),
    new Float32Array(parameterCount),
  );
  const logits = values(train, 'logits').map(
    (logit, index) => logit / calibration.temperature + (index % classCount === 0 ? 0 : calibration.offset),
  );
  for (let row = 0; row < batch; row++) {
    const exponentials = Array.from({ length: classCount }, (_, index) => Math.exp(logits[row * classCount + index]!));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    for (const [index, value] of exponentials.entries()) {
      expect(values(result, 'probabilities')[row * classCount + index]).toBeCloseTo(value / sum, 5);
    }
    expect(values(result, 'scores')[row]).toBeCloseTo(1 - exponentials[0]! / sum, 5);
  }
});

test('of peers only matters who is the same; ages, peers and directions do matter', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const asIs = values(await detect.run(windowFeeds()), 'probabilities');
  const changed = async (column: number, change: (value: number, flow: number) => number): Promise<Float32Array> => {
    const context = flowContext.map((value, index) =>
      index % flowContextWidth === column && value >= 0 ? change(value, Math.floor(index / flowContextWidth)) : value,
    );
    return values(await detect.run(windowFeeds(windows, context)), 'probabilities');
  };
  expect(await changed(1, (peer) => 9 - peer)).toEqual(asIs);
  expect(await changed(1, (_, flow) => flow)).not.toEqual(asIs);
  expect(await changed(0, (age) => age / 60)).not.toEqual(asIs);
  expect(await changed(2, (direction) => (direction + 1) % 3)).not.toEqual(asIs);
  expect(await changed(3, (flows) => 2 * flows + 1)).not.toEqual(asIs);
  expect(await changed(4, (flows) => 2 * flows + 1)).not.toEqual(asIs);
  expect(await changed(5, (known) => known / 2)).not.toEqual(asIs);
  expect(await changed(6, (known) => known + 20)).not.toEqual(asIs);
});

test('beyond ten minutes a peer is known for long, and beyond two it came late', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const told = async (peer: number, device: number): Promise<Float32Array> => {
    const context = flowContext.map((value, index) => [value, value, value, value, value, peer, device][index % 7]!);
    return values(await detect.run(windowFeeds(windows, context)), 'probabilities');
  };
  expect(await told(600, 600)).toEqual(await told(86_400, 86_400));
  expect(await told(10, 130)).toEqual(await told(10, 86_400));
  expect(await told(10, 20)).not.toEqual(await told(10, 130));
  expect(await told(10, -1)).not.toEqual(await told(10, 10));
});

test('what stands in the slots before the present flows changes nothing', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const littered = Float32Array.from(windows);
  for (let row = 0; row < batch; row++) {
    const start = row * windowLength * featureCount;
    littered.fill(12_345, start, start + (windowLength - flowsSeen[row]!) * featureCount);
  }
  const strewn = flowContext.slice();
  for (let row = 0; row < batch; row++) {
    const start = row * flowContextSize;
    strewn.fill(1, start, start + (windowLength - flowsSeen[row]!) * flowContextWidth);
  }
  const clean = await detect.run(windowFeeds());
  const dirty = await detect.run(windowFeeds(littered, strewn));
  expect(littered).not.toEqual(windows);
  expect(values(dirty, 'probabilities')).toEqual(values(clean, 'probabilities'));
});

test('NaN, infinities and negative values count as 0', async () => {
  const detect = await open(buildDetectGraph({ scaler, parameters, calibration: uncalibrated, design: wholeDesign }));
  const hostile = Float32Array.from(windows);
  const zeroed = Float32Array.from(windows);
  for (let index = 0; index < hostile.length; index += 17) {
    hostile[index] = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1][(index / 17) % 4]!;
    zeroed[index] = 0;
  }
  const result = values(await detect.run(windowFeeds(hostile)), 'probabilities');
  expect(result).toEqual(values(await detect.run(windowFeeds(zeroed)), 'probabilities'));
  expect(result.every(Number.isFinite)).toBe(true);
});
