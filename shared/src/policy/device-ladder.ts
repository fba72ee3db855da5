/** A device of the LAN that goes on in spite of what was done to it: one step further each time, on new evidence only. */
import type { DeviceRef } from '../contract/address.ts';
import type { DeviceStep } from '../contract/rule.ts';
import type { Evidence } from './evidence.ts';
import type { JudgedWindow } from './judged-window.ts';
import { noMeasures, type MeasureBook, type Measures, type Proven } from './measures.ts';
import type { Offender } from './offending-peer.ts';
import { restrictionKey, restrictionOfStep, type Restriction } from './restriction.ts';

export class DeviceLadder {
  readonly #evidence: Evidence;
  readonly #book: MeasureBook;
  readonly #sparingUs: (restrictions: readonly Restriction[]) => readonly Restriction[];

  /** `sparingUs` leaves out, or turns round, what would cut the gateway itself. */
  constructor(
    evidence: Evidence,
    book: MeasureBook,
    sparingUs: (restrictions: readonly Restriction[]) => readonly Restriction[],
  ) {
    this.#evidence = evidence;
    this.#book = book;
    this.#sparingUs = sparingUs;
  }

  /** The next step of the ladder for a device that goes on in spite of the one before. */
  climb(proven: Proven, culprit: DeviceRef, window: JudgedWindow, offender: Offender): Measures {
    const { rule, proof } = proven;
    const { device, atUs } = window;
    const isFirstHand = offender.kind !== 'peers';
    const victim = offender.kind === 'peers' ? device.address : undefined;
    const before = this.#book.offenceOf(rule, whoIs(culprit), atUs);
    if (before === undefined) return this.#step(proven, culprit, offender, victim, 0, atUs);
    const isHeld = Math.abs(atUs - before.firedAtUs) < before.untilUs - before.firedAtUs;
    const covering = isHeld
      ? this.#covering(rule.device_ladder[before.step], proven, culprit, offender, victim, atUs)
      : [];
    if (covering.length > 0) return { taken: [], running: covering };
    if (Math.abs(atUs - before.firedAtUs) < rule.cooldown_seconds * 1_000_000) return noMeasures;
    if (isHeld) {
      // harsher only on what was seen since: not on the very windows that the step before was taken for
      if (!this.#evidence.stillProves(rule, proof, device.address, { afterUs: before.firedAtUs, isFirstHand }))
        return noMeasures;
    }
    const highest = rule.device_ladder.length - 1;
    if (isHeld && before.step >= highest) return noMeasures;
    return this.#step(proven, culprit, offender, victim, Math.min(before.step + 1, highest), atUs);
  }

  /** Keys of what is held already and stops this: then traffic that is still seen is what the restriction drops. */
  #covering(
    step: DeviceStep | undefined,
    { rule }: Proven,
    culprit: DeviceRef,
    offender: Offender,
    victim: string | undefined,
    atUs: number,
  ): readonly string[] {
    if (step === undefined || step === 'observe' || step === 'rate_limit') return [];
    const isInside = offender.kind === 'target' ? false : offender.isInside;
    if (step === 'no_wan' && isInside) return [];
    const restrictions = this.#sparingUs(restrictionOfStep(rule, step, culprit, offender, victim) ?? []);
    return restrictions.map(restrictionKey).filter((key) => this.#book.isRunning(key, atUs));
  }

  #step(
    { rule, proof }: Proven,
    culprit: DeviceRef,
    offender: Offender,
    victim: string | undefined,
    from: number,
    atUs: number,
  ): Measures {
    for (let place = from; place < rule.device_ladder.length; place++) {
      const step = rule.device_ladder[place]!;
      const restrictions = restrictionOfStep(rule, step, culprit, offender, victim);
      if (restrictions === undefined) continue;
      if (restrictions.length === 0) this.#book.noteStep(rule, whoIs(culprit), atUs, place);
      const asked = this.#sparingUs(restrictions).map((restriction) => ({
        restriction,
        key: restrictionKey(restriction),
      }));
      return {
        taken: asked
          .filter(({ key }) => !this.#book.isRunning(key, atUs))
          .map(({ restriction }) =>
            this.#book.take({ rule, proof }, restriction, whoIs(culprit), atUs, { step, place }),
          ),
        running: asked.filter(({ key }) => this.#book.isRunning(key, atUs)).map(({ key }) => key),
      };
    }
    return noMeasures;
  }
}

/** A device keeps its MAC when its address goes to another one, which is not to answer for it. */
function whoIs({ address, mac }: DeviceRef): string {
  return mac ?? address;
}
