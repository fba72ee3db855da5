/** A device of the LAN that goes on in spite of what was done to it: one step further each time, on new evidence only. */
import type { DeviceRef } from '../contract/address.ts';
import type { DeviceStep } from '../contract/rule.ts';
import type { Evidence } from './evidence.ts';
import type { JudgedWindow } from './judged-window.ts';
import type { MeasureBook } from './measure-book.ts';
import { noMeasures, type Measures, type Proven } from './measures.ts';
import type { Offence } from './offences.ts';
import { hostsOf, type Offender } from './offender.ts';
import { restrictionKey, restrictionOfStep, type Restriction } from './restriction.ts';

/**
 * So many restrictions of one rule are held against one device at a time. A step that is aimed at one destination is
 * aimed at the next without a rest in between, for whoever is cut from one stranger has another at hand. What looks so
 * may be none of the device's doing (somebody on its link who sends with its address and its MAC), or no attack (an app
 * that uploads to ever new servers): that costs it no more than so many hosts, each on windows of its own, and the next
 * step comes no sooner than it would anyway. A stranger with ever new addresses uses them up, and waits for that step.
 */
const mostHeld = 4;

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
    const isResting = Math.abs(atUs - before.firedAtUs) < rule.cooldown_seconds * 1_000_000;
    const highest = rule.device_ladder.length - 1;
    if (isHeld) {
      const heldSinceUs = this.#book.heldSinceUs(rule, whoIs(culprit), atUs);
      // only on what was seen since: not on the very windows that what is held was taken for
      const afterUs = Math.max(before.firedAtUs, ...heldSinceUs);
      if (isResting || before.step >= highest)
        return heldSinceUs.length < mostHeld
          ? this.#aim(proven, culprit, window, offender, before, afterUs)
          : noMeasures;
      if (!this.#evidence.stillProves(rule, proof, device.address, { afterUs, isFirstHand })) return noMeasures;
    }
    if (isResting) return noMeasures;
    return this.#step(proven, culprit, offender, victim, Math.min(before.step + 1, highest), atUs);
  }

  /**
   * The step that is held, against one destination more, on evidence for that very destination. Nothing where the step is
   * not aimed at one.
   */
  #aim(
    proven: Proven,
    culprit: DeviceRef,
    { device, atUs }: JudgedWindow,
    offender: Offender,
    before: Offence,
    afterUs: number,
  ): Measures {
    const { rule, proof } = proven;
    const step = rule.device_ladder[before.step];
    if (step !== 'cut_destination') return noMeasures;
    const isByPeers = offender.kind === 'peers';
    const [toward, speaker] = isByPeers ? [culprit.address, culprit.address] : [hostsOf(offender)[0], device.address];
    const counted = { afterUs, isFirstHand: !isByPeers, speaker, toward };
    if (toward === undefined || !this.#evidence.stillProves(rule, proof, device.address, counted)) return noMeasures;
    const victim = isByPeers ? device.address : undefined;
    const restrictions = this.#sparingUs(restrictionOfStep(rule, step, culprit, offender, victim) ?? []);
    const join = { who: whoIs(culprit), atUs, before, step };
    return { taken: restrictions.map((restriction) => this.#book.join(proven, restriction, join)), running: [] };
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
