/**
 * Where the published meters are wrong about a packet and we do not follow: each with the columns it may touch, so that
 * every other column of such a flow is compared like any other. docs/flow-meter.md explains each; a test asserts each.
 */
import { featureNames } from '../../shared/src/features/feature-schema.ts';
import type { FlowLine } from './flow-line.ts';

export interface ReferenceArtefact {
  readonly id: string;
  readonly reason: string;
  /** Is this row of the reference one of those? */
  readonly covers: (theirs: FlowLine) => boolean;
  /** Columns that may differ; undefined: we have no such flow at all. */
  readonly columns: ReadonlySet<string> | undefined;
}

const oneWay =
  /^(?:Fwd|Bwd) |Backward|of (?:Fwd|Bwd)|Avg (?:Fwd|Bwd)|Subflow|^Init_Win|^Total Fwd|_fwd$|_forward$|Down\/Up/;
const payload =
  /Length of|Packet Length|Bytes\/s|Average Packet Size|Segment Size|Subflow (?:Fwd|Bwd) Bytes|Bulk|^act_data/;

export const referenceArtefacts: readonly ReferenceArtefact[] = [
  {
    id: 'misread-arp',
    reason: 'ARP or EAPOL frame read as an IPv4 packet; we make no flow of it',
    covers: ({ key }) => /^(?:8\.6\.0\.1|136\.142\.1\.3),0,[0-9.]+,0,0(?:,|$)/.test(key),
    columns: undefined,
  },
  {
    id: 'own-address',
    reason: 'both ends have one address: every packet counted forward; we go by the ports',
    covers: ({ key }) => /^([0-9.]+),[0-9]+,\1,/.test(key),
    columns: matching(oneWay),
  },
  {
    id: 'vlan-trailer',
    reason: 'trailer of a VLAN-tagged frame counted as payload; we go by the IP length',
    covers: ({ key }) => key === '10.0.0.2,40020,10.0.0.9,21,6', // the tagged flow of golden.pcap
    columns: matching(payload),
  },
];

function matching(pattern: RegExp): ReadonlySet<string> {
  return new Set(featureNames.filter((name) => pattern.test(name)));
}
