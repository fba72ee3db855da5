/**
 * Flow features, and what is known of a flow beside them, in the words of somebody who reads an alert at night: a noun phrase for each, and a value with its unit.
 * "Forward" is whoever opened the conversation.
 */
import { contextFeatures } from './context-features.ts';
import { features } from './feature-schema.ts';

const words: Readonly<Record<string, string>> = {
  'Destination Port': 'port',
  'Flow Duration': 'length of a conversation',
  'Total Fwd Packets': 'packets sent by the opener',
  'Total Backward Packets': 'packets in answer',
  'Total Length of Fwd Packets': 'data sent by the opener',
  'Total Length of Bwd Packets': 'data in answer',
  'Fwd Packet Length Max': 'largest payload of the opener',
  'Fwd Packet Length Min': 'smallest payload of the opener',
  'Fwd Packet Length Mean': 'mean payload of the opener’s packets',
  'Fwd Packet Length Std': 'spread of the opener’s payload sizes',
  'Bwd Packet Length Max': 'largest payload in answer',
  'Bwd Packet Length Min': 'smallest payload in answer',
  'Bwd Packet Length Mean': 'mean payload of answering packets',
  'Bwd Packet Length Std': 'spread of the answer’s payload sizes',
  'Flow Bytes/s': 'data rate',
  'Flow Packets/s': 'packet rate',
  'Flow IAT Mean': 'mean gap between packets',
  'Flow IAT Std': 'spread of the gaps between packets',
  'Flow IAT Max': 'longest gap between packets',
  'Flow IAT Min': 'shortest gap between packets',
  'Fwd IAT Total': 'time over which the opener sent',
  'Fwd IAT Mean': 'mean gap between the opener’s packets',
  'Fwd IAT Std': 'spread of the gaps between the opener’s packets',
  'Fwd IAT Max': 'longest gap between the opener’s packets',
  'Fwd IAT Min': 'shortest gap between the opener’s packets',
  'Bwd IAT Total': 'time over which the answer came',
  'Bwd IAT Mean': 'mean gap between answering packets',
  'Bwd IAT Std': 'spread of the gaps between answering packets',
  'Bwd IAT Max': 'longest gap between answering packets',
  'Bwd IAT Min': 'shortest gap between answering packets',
  'Fwd PSH Flags': 'pushed packets of the opener',
  'Bwd PSH Flags': 'pushed packets in answer',
  'Fwd URG Flags': 'urgent packets of the opener',
  'Bwd URG Flags': 'urgent packets in answer',
  'Fwd Header Length': 'headers sent by the opener',
  'Fwd Header Length.1': 'headers sent by the opener',
  'Bwd Header Length': 'headers in answer',
  'Fwd Packets/s': 'packet rate of the opener',
  'Bwd Packets/s': 'packet rate of the answer',
  'Min Packet Length': 'smallest payload',
  'Max Packet Length': 'largest payload',
  'Packet Length Mean': 'mean payload of a packet',
  'Packet Length Std': 'spread of payload sizes',
  'Packet Length Variance': 'variance of payload sizes',
  'FIN Flag Count': 'packets that close a connection',
  'SYN Flag Count': 'packets that open a connection',
  'RST Flag Count': 'packets that refuse or abort a connection',
  'PSH Flag Count': 'pushed packets',
  'ACK Flag Count': 'acknowledging packets',
  'URG Flag Count': 'urgent packets',
  'CWE Flag Count': 'packets that answer to congestion',
  'ECE Flag Count': 'packets that report congestion',
  'Down/Up Ratio': 'packets in answer to each packet sent',
  'Average Packet Size': 'mean payload of a packet',
  'Avg Fwd Segment Size': 'mean payload of the opener’s packets',
  'Avg Bwd Segment Size': 'mean payload of answering packets',
  Init_Win_bytes_forward: 'first TCP window of the opener',
  Init_Win_bytes_backward: 'TCP window of the answer',
  act_data_pkt_fwd: 'packets of the opener that carry data',
  'Active Std': 'spread of the times of activity',
  'Active Mean': 'mean time of activity between pauses',
  'Active Max': 'longest time of activity between pauses',
  'Active Min': 'shortest time of activity between pauses',
  'Idle Std': 'spread of the pauses',
  'Idle Mean': 'mean pause',
  'Idle Max': 'longest pause',
  'Idle Min': 'shortest pause',
  'Flow Age': 'time since the conversation began',
  'Recent Flows': 'conversations of the device lately',
  'Recent Flows of Peer': 'conversations with the peer lately',
  'Peer Known': 'time that the peer has been known for',
};

const flowAge = 'Flow Age';
const peerKnown = 'Peer Known';
const hour = 3600;
const day = 24 * hour;

/** What a score may be explained by. */
const told = new Map([...features, ...contextFeatures].map((feature) => [feature.name, feature]));

/** What the feature says, in a few plain words; its own meaning where nobody found plainer ones. */
export function wordsOf(feature: string): string {
  return words[feature] ?? told.get(feature)?.meaning ?? feature;
}

/** What a feature is about, for a person who is told where a network looked and not what at. */
export function aspectOf(feature: string): string {
  if (feature === flowAge || feature === peerKnown) return 'how new the conversations and their peers are';
  if (feature.startsWith('Recent Flows')) return 'how many conversations there were lately';
  const unit = unitOf(feature);
  if (unit === 'port') return 'what is asked for';
  if (unit === 'us' || unit === 's') return 'timing';
  if (unit.endsWith('/s')) return 'rates';
  if (feature.includes('Flag')) return 'TCP flags';
  if (feature.includes('Header')) return 'headers';
  if (feature.startsWith('Init_Win')) return 'TCP windows';
  if (/Packet Length|Packet Size|Segment Size/.test(feature)) return 'payload sizes';
  return 'how much was sent and answered';
}

/** Unit of a feature; empty for plain numbers and unknown names. */
export function unitOf(feature: string): string {
  const unit = told.get(feature)?.unit ?? '';
  return unit === 'ratio' ? '' : unit;
}

/** Of a TCP window that nobody told, and the like. */
const notThere = -1;

/** A value as people say it: `1.5 s`, `340 kB`, `12 packets/s`, `3`; `none` of what was not there; a port as it is written. */
export function valueInWords(value: number, unit: string): string {
  if (unit === 'port') return String(value);
  // What is given in seconds is told by the newest packet of many: that is no clock for anything shorter.
  if (unit === 's') return value < 0.001 ? 'under 1 ms' : durationInWords(value);
  if (unit === 'us') return durationInWords(value / 1e6);
  if (unit === 'bytes') return value === notThere ? 'none' : bytesInWords(value);
  if (unit === 'bytes^2') return `${numberInWords(value)} bytes²`;
  if (unit === 'bytes/s') return `${bytesInWords(value)}/s`;
  if (unit === 'packets/s') return `${numberInWords(value)} packets/s`;
  return numberInWords(value);
}

export function durationInWords(seconds: number): string {
  if (seconds >= 2 * day) return `${numberInWords(seconds / day)} days`;
  if (seconds >= 2 * hour) return `${numberInWords(seconds / hour)} h`;
  if (seconds >= 120) return `${numberInWords(seconds / 60)} min`;
  if (seconds >= 1) return `${numberInWords(seconds)} s`;
  if (seconds >= 0.001) return `${numberInWords(seconds * 1000)} ms`;
  return `${numberInWords(seconds * 1e6)} µs`;
}

/** How long something went on: ` within 3 s`, and no finer than ` within a millisecond`; nothing where it was one moment. */
export function withinInWords(seconds: number): string {
  if (seconds <= 0) return '';
  return ` within ${seconds < 0.001 ? 'a millisecond' : durationInWords(seconds)}`;
}

export function bytesInWords(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= 1e9) return `${numberInWords(bytes / 1e9)} GB`;
  if (size >= 1e6) return `${numberInWords(bytes / 1e6)} MB`;
  if (size >= 1e4) return `${numberInWords(bytes / 1e3)} kB`;
  return `${numberInWords(bytes)} byte${size === 1 ? '' : 's'}`;
}

/** Three digits that matter below a thousand, whole numbers with separators above. */
export function numberInWords(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 3 : 2)));
}
