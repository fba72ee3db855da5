/**
 * What this build can speak. Raise it when a message gains meaning; never reuse a number.
 *  1: enrolment, presence, health; events with acknowledgement; signed policy and decisions
 */
export const protocolVersion = 1;
