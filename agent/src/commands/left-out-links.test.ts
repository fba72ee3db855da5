import { expect, test } from 'vitest';
import { RecordingMeter } from '../testing/meter-frames.ts';
import { chunkOf, type TimedFrame } from '../testing/packet-builder.ts';
import { LeftOutLinks } from './left-out-links.ts';

const frameOn = (linkType: number): TimedFrame => ({ timeUs: 1, frame: new Uint8Array(60), linkType });

function leftOut(...linkTypes: readonly number[]): string {
  const links = new LeftOutLinks();
  for (const linkType of linkTypes) links.note(chunkOf([frameOn(linkType)]));
  return String(links);
}

test('links are named once, in the order they come, with their number', () => {
  expect(leftOut(1, 127, 9, 127, 113)).toBe('802.11 with radiotap header (127), PPP (9)');
  expect(leftOut(147)).toBe('link type (147)');
  expect(leftOut(140, 141, 142, 143, 144, 145, 146)).toMatch(/, link type \(144\) and 2 more$/);
  expect(leftOut(1, 101)).toBe('');
});

test('they are the links that the meter leaves out, and no others', () => {
  for (let linkType = 0; linkType < 400; linkType++) {
    const { meter } = new RecordingMeter({ profile: 'fixed', endings: 'reference', capacity: 16 }).add(
      frameOn(linkType),
    );
    expect(leftOut(linkType) !== '', `link ${linkType}`).toBe(meter.counters.undecodableBy.unsupportedLink === 1);
  }
});
