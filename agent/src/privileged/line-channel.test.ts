import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { LineChannel } from './line-channel.ts';

function open(maxLineBytes: number) {
  const values: unknown[] = [];
  const bad: string[] = [];
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const channel = LineChannel.open(socket, {
    maxLineBytes,
    onValue: (value) => values.push(value),
    onBadLine: (reason) => bad.push(reason),
    onClose: () => {},
  });
  const feed = (data: Buffer | string): void => void socket.emit('data', Buffer.from(data));
  return { values, bad, feed, channel };
}

test('values come out however their bytes are cut', () => {
  const text = Buffer.from('{"a":"ä"}\n[1,2]\n"x"\n');
  for (let cut = 0; cut <= text.length; cut += 1) {
    const { values, feed } = open(100);
    feed(text.subarray(0, cut));
    feed(text.subarray(cut));
    expect(values).toEqual([{ a: 'ä' }, [1, 2], 'x']);
  }
});

test('a line that is too long is skipped to its end, told once, and nothing of it is kept', () => {
  const { values, bad, feed } = open(20);
  for (let index = 0; index < 10_000; index += 1) feed('x'.repeat(1000));
  feed('\n1\n');
  expect(values).toEqual([1]);
  expect(bad).toEqual(['a line may have at most 20 bytes']);
});

test('bytes of any kind never throw, and every line is a value or bad', () => {
  const random = new SeededRandom(7);
  const { values, bad, feed } = open(64);
  let lines = 0;
  for (let round = 0; round < 5000; round += 1) {
    const bytes = Buffer.from(Array.from({ length: random.below(90) }, () => random.below(256)));
    feed(bytes);
    lines += bytes.filter((byte) => byte === 0x0a).length;
  }
  expect(values.length + bad.length).toBeGreaterThan(lines - 1);
  expect(values.length + bad.length).toBeLessThanOrEqual(lines + 1);
});
