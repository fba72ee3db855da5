/** As much of DNS (RFC 1035) as a stub resolver and its server need. */

const addressType = 1;
const textType = 16;
const longAddressType = 28;

/** A question for `name`. */
export function nameQuestion(type: number, name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([Math.min(label.length, 63)]), Buffer.from(label.slice(0, 63))]));
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(Math.floor(performance.now() * 977) & 0xffff, 0);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

/**
 * The answer: names beginning with `nx` do not exist, long ones asked for a text get one, others get one to four
 * addresses, always the same for the same name. Undefined where the bytes are no question.
 */
export function nameAnswer(query: Buffer): Buffer | undefined {
  if (query.length < 17 || (query[2]! & 0x80) !== 0) return undefined;
  let at = 12;
  while (at < query.length && query[at] !== 0) at += query[at]! + 1;
  if (at + 5 > query.length) return undefined;
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  if (question.subarray(1, 3).toString() === 'nx') {
    header.writeUInt16BE(0x8183, 2);
    return Buffer.concat([header.fill(0, 6, 8), question, Buffer.alloc(60, 's')]);
  }
  const sum = question.reduce((total, byte) => total + byte, 0);
  const data = [addressType, longAddressType].includes(type)
    ? Array.from({ length: 1 + (sum % 4) }, (_, index) => Buffer.alloc(type === addressType ? 4 : 16, 198 + index))
    : type === textType
      ? [
          Buffer.concat([
            Buffer.from([Math.min(60 + (sum % 190), 250)]),
            Buffer.alloc(Math.min(60 + (sum % 190), 250), 'a'),
          ]),
        ]
      : [Buffer.alloc(12 + (sum % 40), 'o')];
  header.writeUInt16BE(data.length, 6);
  const records = data.flatMap((value) => [
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, value.length]),
    value,
  ]);
  return Buffer.concat([header, question, ...records]);
}
