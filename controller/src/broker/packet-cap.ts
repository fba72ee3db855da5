/**
 * The bound of one MQTT packet. The parser of the embedded broker has none: a client could announce 256 MB and make us
 * keep them. It is asked right after the length field, before a byte of the payload is kept.
 */
import type { Client } from 'aedes';

/** A batch of events is at most 256 KiB; a delta of 500 decisions in a JWS is the largest message of ours. */
export const maxPacketBytes = 1024 * 1024;

interface LengthParser {
  packet: { length: number };
  _parseLength(): boolean;
  emit(event: 'error', error: Error): boolean;
}

/** Ends the connection of `client` at the first packet that announces more than `maxBytes`. */
export function capPacketSize(client: Client, maxBytes: number): void {
  const parser = (client as unknown as { _parser: LengthParser })._parser;
  const parseLength = parser._parseLength.bind(parser);
  parser._parseLength = () => {
    const complete = parseLength();
    if (parser.packet.length <= maxBytes) return complete;
    parser.emit('error', new Error(`a packet of ${parser.packet.length} bytes; at most ${maxBytes} are taken`));
    return false;
  };
}
