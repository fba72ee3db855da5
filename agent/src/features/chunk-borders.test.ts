/** The same packets make the same flows and reports, whatever file they stand in and wherever its bytes are cut. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import type { Chunk } from '../capture/packet-source.ts';
import { captureForms, chunksInPieces } from '../testing/capture-forms.ts';
import { flowsOf, type MeteredFlow } from '../testing/meter-frames.ts';
import { mixture } from '../testing/mixed-traffic.ts';
import { chunkOf } from '../testing/packet-builder.ts';
import { FlowMeter, type FlowMeterOptions } from './flow-meter.ts';

type Meter = Pick<FlowMeterOptions, 'profile' | 'endings'>;

/** `between` is called ahead of each chunk with its first time. */
function flowsFrom(
  options: Meter,
  chunks: Iterable<Chunk>,
  between: (meter: FlowMeter, nextUs: number) => void = () => undefined,
): MeteredFlow[] {
  const flows: MeteredFlow[] = [];
  const meter = FlowMeter.create({ ...options, capacity: 24 }, (batch) => flows.push(...flowsOf(batch)));
  for (const chunk of chunks) {
    between(meter, chunk.timesUs[0]!);
    meter.add(chunk);
  }
  meter.finish();
  return flows;
}

const frames = mixture(600, true);
const forms = captureForms(frames);
const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 9000 })), {
  minLength: 3,
  maxLength: 40,
});

describe.each(FeatureProfile.options)('%s', (profile) => {
  describe.each(['reference', 'live'] as const)('%s endings', (endings) => {
    const options = { profile, endings };
    const whole = flowsFrom(options, [chunkOf(frames)]);

    test('the mixture ends flows in every way', () => {
      const ends = new Set(whole.map(({ end }) => end));
      expect(whole.length).toBeGreaterThan(50);
      expect(ends).toContain('evicted');
      if (endings === 'live') expect(ends).toEqual(new Set([...ends, 'report', 'idle', 'reset', 'end_of_input']));
    });

    test.each(forms)('$name, cut anywhere', ({ bytes }) => {
      fc.assert(
        fc.property(pieces, (sizes) => {
          expect(flowsFrom(options, chunksInPieces(bytes, sizes))).toEqual(whole);
        }),
        { numRuns: 3 },
      );
    });
  });

  test('live: time that passes between two packets changes nothing but how early a flow is handed over', () => {
    const whole = flowsFrom({ profile, endings: 'live' }, [chunkOf(frames)]);
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(pieces, fc.array(share, { minLength: 1, maxLength: 20 }), (sizes, shares) => {
        let lastUs = 0;
        let turn = 0;
        const flows = flowsFrom(
          { profile, endings: 'live' },
          chunksInPieces(forms[0]!.bytes, sizes),
          (meter, nextUs) => {
            if (lastUs > 0 && nextUs > lastUs) {
              meter.advanceTo(lastUs + (nextUs - lastUs) * shares[turn++ % shares.length]!);
            }
            lastUs = Math.max(lastUs, nextUs);
          },
        );
        expect(flows).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});
