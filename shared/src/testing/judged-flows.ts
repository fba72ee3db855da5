/** Flows for tests of what follows from them: a knock at the camera's web server from outside, where nothing else is said. */
import type { JudgedFlow } from '../policy/judged-window.ts';

export const startUs = 1_700_000_000_000_000;
export const camera = '192.168.1.20';

export const knock: JudgedFlow = {
  startedAtUs: startUs,
  lastPacketAtUs: startUs + 1000,
  srcIp: '203.0.113.9',
  dstIp: camera,
  dstPort: 80,
  protocol: 6,
  direction: 'inbound',
  fwdPackets: 1,
  bwdPackets: 1,
  fwdBytes: 0,
  bwdBytes: 0,
};

/** A SYN, a SYN-ACK, and no more. */
export const halfOpen = { synPackets: 2, ackPackets: 1 } satisfies Partial<JudgedFlow>;
