/** A clock that is set while packets come: reports go on soon, and no flow gets longer than it was. */
import { expect, test } from 'vitest';
import { RecordingMeter } from '../testing/meter-frames.ts';
import { type TimedFrame, udpFrame } from '../testing/packet-builder.ts';

const second = 1_000_000;
const startUs = 1_700_000_000 * second;
const day = 86_400;
/** From one packet to the next. */
const paceUs = second / 10;
const packets = 400;
const stepAt = 205;

/** A datagram of one long conversation every 100 ms, and every second one of a conversation that has no other. */
function framesAt(index: number, timeUs: number): TimedFrame[] {
  const lasting = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 443 };
  const single = { ...lasting, src: '10.0.0.3', srcPort: 20_000 + index };
  const frames = [{ timeUs, frame: udpFrame(lasting, { payload: 10 }) }];
  if (index % 10 === 0) frames.push({ timeUs, frame: udpFrame(single, { payload: 10 }) });
  return frames;
}

test.each([
  { step: -5, timeSteps: 0, silentSeconds: 10.3 },
  { step: -9.5, timeSteps: 0, silentSeconds: 15 },
  { step: -10.5, timeSteps: 1, silentSeconds: 1.2 },
  { step: -30, timeSteps: 1, silentSeconds: 1.2 },
  { step: -100, timeSteps: 1, silentSeconds: 1.2 },
  { step: -day, timeSteps: 1, silentSeconds: 1.2 },
  { step: 3600, timeSteps: 0, silentSeconds: 1.2 },
])('a clock set by $step s in the middle of a capture', ({ step, timeSteps, silentSeconds }) => {
  const meter = new RecordingMeter({ profile: 'fixed', endings: 'live' });
  /** When the long conversation was told of, in packets since the step. */
  const told: number[] = [];
  let packetsBefore = 0;
  for (let index = 0; index < packets; index++) {
    const before = meter.flows.length;
    meter.add(...framesAt(index, startUs + index * paceUs + (index < stepAt ? 0 : step * second)));
    const news = meter.flows.slice(before).filter(({ src }) => src === '10.0.0.2');
    for (const { end } of news) if (end === 'report' && index >= stepAt) told.push(index - stepAt);
    packetsBefore += index < stepAt ? 1 : 0;
  }
  expect(told[0]! * paceUs, 'the first report after the step').toBeLessThanOrEqual(silentSeconds * second);
  const gaps = told.slice(1).map((at, index) => at - told[index]!);
  expect(Math.max(...gaps) * paceUs, 'later ones').toBeLessThanOrEqual(5.2 * second);
  expect(meter.meter.counters.timeSteps).toBe(timeSteps);

  const flows = meter.finish();
  const whole = flows.filter(({ end, src }) => end !== 'report' && src === '10.0.0.2');
  const counts = whole.map(({ features }) => features['Total Fwd Packets']!);
  expect(counts).toEqual(timeSteps === 0 && step < 0 ? [packets] : [packetsBefore, packets - packetsBefore]);
  for (const { features, startedAtUs, lastPacketAtUs } of whole) {
    const longest = features['Total Fwd Packets']! * paceUs;
    expect(features['Flow Duration']).toBeLessThanOrEqual(longest);
    expect(lastPacketAtUs - startedAtUs).toBeLessThanOrEqual(longest);
  }
  const timesBack = flows.filter(
    ({ handedOverAtUs }, index) => handedOverAtUs < (flows[index - 1]?.handedOverAtUs ?? 0),
  );
  expect(timesBack, 'times of hand-over that go back').toHaveLength(timeSteps);
});

test('what was open on a silent interface when its clock was set back leaves with the next packet', () => {
  const meter = new RecordingMeter({ profile: 'fixed', endings: 'live' }).add(...framesAt(0, startUs));
  meter.advanceTo(startUs - 60 * second);
  expect(meter.flows).toHaveLength(0);
  meter.add(...framesAt(1, startUs - 59 * second));
  expect(meter.flows.map(({ end }) => end)).toEqual(['timeout', 'timeout']);
  meter.advanceTo(startUs - 57 * second);
  expect(meter.flows.at(-1)).toMatchObject({ end: 'report', reportNumber: 0 });
});

test('packets that others overtook by seconds stay in their flows', () => {
  const meter = new RecordingMeter({ profile: 'fixed', endings: 'live' });
  for (let index = 0; index < 100; index++) meter.add(...framesAt(1, startUs + (index ^ 7) * second));
  expect(meter.meter.counters.timeSteps).toBe(0);
  expect(meter.finish().at(-1)).toMatchObject({ end: 'end_of_input', features: { 'Total Fwd Packets': 100 } });
});
