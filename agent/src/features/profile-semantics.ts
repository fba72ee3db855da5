/** Which flows a feature profile is made of. The other half of a profile, what is computed of a flow, is in extract-features.ts. */
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import type { FlowSemantics } from '../flow/flow-semantics.ts';
import { ipProtocol } from '../packet/packet-fields.ts';

const { icmp, igmp, tcp, udp, icmp6, sctp } = ipProtocol;

export const profileSemantics: Readonly<Record<FeatureProfile, FlowSemantics>> = {
  cic2017: {
    countPadding: true,
    endAtFirstFin: true,
    turnSynAck: false,
    cutPacketIsForward: true,
    turnUdpAtCut: 'never',
    dropSinglePackets: true,
    keepBackwardTime: true,
    protocols: new Set([tcp, udp]),
  },
  improved2022: {
    countPadding: false,
    endAtFirstFin: false,
    turnSynAck: false,
    cutPacketIsForward: false,
    turnUdpAtCut: 'always',
    dropSinglePackets: false,
    keepBackwardTime: false,
    protocols: new Set([tcp, udp, icmp, icmp6, sctp]),
  },
  fixed: {
    countPadding: false,
    endAtFirstFin: false,
    turnSynAck: true,
    cutPacketIsForward: false,
    turnUdpAtCut: 'if-silent',
    dropSinglePackets: false,
    keepBackwardTime: false,
    protocols: new Set([tcp, udp, icmp, icmp6, sctp, igmp]),
  },
};
