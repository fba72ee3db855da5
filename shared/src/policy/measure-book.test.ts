import { expect, test } from 'vitest';
import { camera, startUs } from '../testing/judged-flows.ts';
import { beacon, Gateway, rule } from '../testing/prevention-gateway.ts';
import { MeasureBook } from './measure-book.ts';
import { restrictionKey, type Restriction } from './restriction.ts';

const escalation = { factor: 3, max_duration_seconds: 9000, forget_after_seconds: 9000 };
const asked = rule({ escalation, device_ladder: ['cut_destination', 'quarantine'] });
const { proof } = new Gateway([asked]).see(beacon(0), beacon(1))[0]!;
const [one, other] = ['198.51.100.66', '198.51.100.67'].map((peer): Restriction => ({
  action: 'block',
  scope: 'pair',
  value: `${peer} ${camera}`,
  direction: 'both',
})) as [Restriction, Restriction];

/** One step of the ladder that needed both. */
function takeBoth(book: MeasureBook, atUs: number, place = 0): readonly { durationSeconds: number; times: number }[] {
  const step = asked.device_ladder[place]!;
  return [one, other].map((restriction) =>
    book.take({ rule: asked, proof }, restriction, camera, atUs, { step, place }),
  );
}

test('what is asked for at once against one offender is one offence, and each of it is as long', () => {
  const book = new MeasureBook(10);
  expect(takeBoth(book, startUs)).toMatchObject([
    { durationSeconds: 600, times: 1 },
    { durationSeconds: 600, times: 1 },
  ]);
  expect(takeBoth(book, startUs + 700e6, 1)).toMatchObject([
    { durationSeconds: 1800, times: 2 },
    { durationSeconds: 1800, times: 2 },
  ]);
});

test('a step of which one part was refused was taken; of which all were, never', () => {
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    const book = new MeasureBook(10);
    takeBoth(book, startUs);
    const laterUs = startUs + 700e6;
    takeBoth(book, laterUs, 1);
    book.forget(first);
    expect(book.isRunning(restrictionKey(first), laterUs)).toBe(false);
    expect(book.recordOf(second), 'it holds').toMatchObject({ times: 2, step: 1, sinceUs: laterUs });
    expect(book.offenceOf(asked, camera, laterUs)).toMatchObject({ times: 2, step: 1 });
    book.forget(second);
    expect(book.offenceOf(asked, camera, laterUs), 'as before it').toMatchObject({ times: 1, step: 0 });
  }
});

test('what joins an offence is no other one, and makes it last until both have ended, unless it is refused', () => {
  const book = new MeasureBook(10);
  book.take({ rule: asked, proof }, one, camera, startUs, { step: 'cut_destination', place: 0 });
  const before = book.offenceOf(asked, camera, startUs)!;
  const laterUs = startUs + 50e6;
  const join = { who: camera, atUs: laterUs, before, step: 'cut_destination' } as const;
  expect(book.join({ rule: asked, proof }, other, join)).toMatchObject({ durationSeconds: 600, times: 1 });
  expect(book.heldSinceUs(asked, camera, laterUs)).toEqual([startUs, laterUs]);
  expect(book.heldSinceUs(asked, camera, startUs + 620e6), 'the first has ended').toEqual([laterUs]);
  expect(book.offenceOf(asked, camera, laterUs)).toEqual({ ...before, untilUs: laterUs + 600e6 });
  book.forget(other);
  expect(book.offenceOf(asked, camera, laterUs)).toEqual(before);
  expect(book.heldSinceUs(asked, camera, laterUs)).toEqual([startUs]);
});
