/** What must hold of any decoded frame, and of the decoder: fields within their ranges, and nothing read that is not the frame's. */
import { decodePacket } from '../packet/decode-packet.ts';
import {
  createPacketFields,
  field,
  ipProtocol,
  outcome,
  type Outcome,
  type PacketFields,
} from '../packet/packet-fields.ts';
import { holds } from './oracle.ts';
import type { TimedFrame } from './packet-builder.ts';

const outcomes: ReadonlySet<number> = new Set(Object.values(outcome));
const portProtocols: ReadonlySet<number> = new Set([ipProtocol.tcp, ipProtocol.udp, ipProtocol.sctp]);
/** Bytes of other packets around a frame. */
const margin = 80;
const room = 1 << 19;

/** The same frame among different neighbours, over different leftovers of the packet before. */
const surroundings = [0x00, 0xff].map((filler) => {
  const bytes = new Uint8Array(room).fill(filler);
  return { filler, bytes, view: new DataView(bytes.buffer), fields: createPacketFields() };
});
const [first, second] = surroundings as [(typeof surroundings)[0], (typeof surroundings)[0]];

/** Decode a frame and check all that is promised; returns what came of it. */
export function checkDecoding(frame: TimedFrame): Outcome {
  const results = surroundings.map((around) => decodeWithin(around, frame));
  const [result, again] = results as [Outcome, Outcome];
  const text = (): string => `${describe(frame)} → outcome ${results.join(' / ')}`;
  holds('outcome-known', outcomes.has(result), text);
  holds('reads-only-the-frame', result === again, text);
  if (result === outcome.decoded) {
    checkFields(first.fields, frame, text);
    for (const index of writtenFields(first.fields)) {
      holds(
        'reads-only-the-frame',
        first.fields[index] === second.fields[index],
        () => `${text()}, field ${index}: ${first.fields[index]} / ${second.fields[index]}`,
      );
    }
  }
  return result;
}

function decodeWithin(around: (typeof surroundings)[0], { frame, wireLength, linkType }: TimedFrame): Outcome {
  const { bytes, view, fields, filler } = around;
  bytes.set(frame, margin);
  fields.fill(filler === 0 ? 0x5555 : 0x2aaa);
  const result = decodePacket(bytes, view, margin, frame.length, wireLength ?? frame.length, linkType ?? 1, fields, 0);
  bytes.fill(filler, margin, margin + frame.length);
  return result;
}

function checkFields(fields: PacketFields, { frame, wireLength }: TimedFrame, text: () => string): void {
  const wire = Math.max(frame.length, wireLength ?? 0);
  const at = (name: keyof typeof field): number => fields[field[name]]!;
  const within = (name: keyof typeof field, least: number, most: number): void =>
    holds('field-in-range', at(name) >= least && at(name) <= most, () => `${text()}, ${name} ${at(name)}`);
  holds('field-in-range', at('family') === 4 || at('family') === 6, () => `${text()}, family ${at('family')}`);
  within('protocol', 0, 255);
  within('srcPort', 0, 65_535);
  within('dstPort', 0, 65_535);
  within('flags', 0, 255);
  within('window', 0, 65_535);
  within('payloadBytes', 0, wire);
  within('paddedPayloadBytes', at('payloadBytes'), Math.max(at('payloadBytes'), 46));
  within('icmpType', 0, 0x5555);
  within('laterFragment', 0, 1);
  for (const name of ['srcMacOffset', 'dstMacOffset'] as const) {
    if (at(name) !== -1) within(name, margin, margin + frame.length - 6);
  }
  if (at('family') === 4) {
    const upper = [0, 1, 2].flatMap((word) => [fields[field.srcAddress + word], fields[field.dstAddress + word]]);
    holds(
      'field-in-range',
      upper.every((word) => word === 0),
      () => `${text()}, IPv4 address words ${upper.join()}`,
    );
  }
  checkTransport(at('protocol'), at('laterFragment') === 1, fields, text);
}

function checkTransport(protocol: number, isLaterFragment: boolean, fields: PacketFields, text: () => string): void {
  const header = fields[field.headerBytes]!;
  const isTcp = protocol === ipProtocol.tcp && !isLaterFragment;
  const isUdp = protocol === ipProtocol.udp && !isLaterFragment;
  const sound = isTcp ? header >= 20 && header <= 60 && header % 4 === 0 : header === (isUdp ? 8 : 0);
  holds('header-length', sound, () => `${text()}, protocol ${protocol}, header ${header}`);
  if (!isTcp) {
    holds(
      'field-in-range',
      fields[field.flags] === 0 && fields[field.window] === 0,
      () => `${text()}, TCP fields left`,
    );
  }
  if (isLaterFragment || !portProtocols.has(protocol)) {
    const none = [field.srcPort, field.dstPort, field.payloadBytes].every((index) => fields[index] === 0);
    holds('field-in-range', none, () => `${text()}, ports or payload without a transport header`);
  }
}

/** Fields that this kind of packet has; the others may hold what an earlier packet left. */
function writtenFields(fields: PacketFields): number[] {
  const { icmpType, icmpCode, srcMacOffset, dstMacOffset, ...others } = field;
  const addresses = [0, 1, 2, 3].flatMap((word) => [field.srcAddress + word, field.dstAddress + word]);
  const protocol = fields[field.protocol];
  const isIcmp = protocol === ipProtocol.icmp || protocol === ipProtocol.icmp6;
  return [...Object.values(others), ...addresses, srcMacOffset, dstMacOffset, ...(isIcmp ? [icmpType, icmpCode] : [])];
}

function describe({ frame, wireLength, linkType }: TimedFrame): string {
  return `link ${linkType ?? 1}, ${frame.length} of ${wireLength ?? frame.length} bytes ${Buffer.from(frame.subarray(0, 128)).toString('hex')}`;
}
