/**
 * How long an attack and its alert last, in packet time: an agent tells by it, and evaluations count by it what a person
 * would have been told.
 */

/** An attack runs until nothing was heard of it for this long, µs. */
export const quietUs = 300_000_000;

/** When it comes back within this long of when it was last seen, it goes on with the alert that it had, µs. */
export const returnsWithinUs = 3_600_000_000;
