/**
 * What this build can speak. Raise it when a message gains meaning; never reuse a number.
 *  1: enrolment, presence, health; events with acknowledgement; signed policy and decisions
 *  2: policies that must be confirmed over new connections; unblocks with proof; guarded addresses in `reported`
 */
export const protocolVersion = 2;
