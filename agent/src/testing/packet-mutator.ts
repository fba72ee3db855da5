/** A conversation as hostile or broken networks deliver it: damaged frames, lost, doubled and swapped ones, wild clocks. */
import { latestUs } from '../capture/packet-source.ts';
import { mutateFrame } from './frame-mutator.ts';
import type { TimedFrame } from './packet-builder.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface MutatedConversation {
  readonly frames: readonly TimedFrame[];
  /** Frames of it that differ from the sound ones in bytes, link, wire length or time. */
  readonly mutated: number;
}

const hour = 3_600_000_000;

/** At most `most` frames of the conversation, about two thirds of them damaged. */
export function mutateConversation(
  sound: readonly TimedFrame[],
  random: SeededRandom,
  most: number,
): MutatedConversation {
  const from = random.below(Math.max(1, sound.length - most));
  const frames: TimedFrame[] = [];
  let mutated = 0;
  let shiftUs = 0;
  const wildClock = random.chance(0.3);
  for (const frame of sound.slice(from, from + most)) {
    if (random.chance(0.02)) continue;
    if (wildClock && random.chance(0.05)) shiftUs = nextShift(frame.timeUs, random);
    const damaged = random.chance(0.65) ? mutateFrame(frame, random, sound) : frame;
    const timeUs = Math.min(Math.max(damaged.timeUs + shiftUs, 0), latestUs);
    const result = timeUs === damaged.timeUs ? damaged : { ...damaged, timeUs };
    if (!isSame(result, frame)) mutated++;
    frames.push(result);
    if (random.chance(0.02)) frames.push(result);
    if (random.chance(0.02) && frames.length > 1) frames.splice(-2, 0, frames.pop()!);
  }
  return { frames, mutated };
}

/** A step of the clock: back or forth by little, by more than any timeout, or to the ends of time. */
function nextShift(timeUs: number, random: SeededRandom): number {
  return random.pick([
    0,
    random.between(-2000, 2000),
    random.between(-130, 130) * 1_000_000,
    random.between(-5, 5) * hour,
    random.between(4, 7) * 1_000_000,
    -timeUs,
    latestUs - timeUs,
  ]);
}

function isSame(one: TimedFrame, other: TimedFrame): boolean {
  if (one === other) return true;
  if (one.timeUs !== other.timeUs || one.linkType !== other.linkType) return false;
  if ((one.wireLength ?? one.frame.length) !== (other.wireLength ?? other.frame.length)) return false;
  return Buffer.compare(one.frame, other.frame) === 0;
}
