import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { TcpdumpReport } from './tcpdump-report.ts';

test('drops are read from the answer to a signal and add up over children', () => {
  const report = new TcpdumpReport();
  report.read('tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 192 bytes');
  report.read('tcpdump: 12 packets captured, 14 packets received by filter, 1 packet dropped by kernel');
  expect(report.kernelDrops).toBe(1);
  report.read('20 packets dropped by kernel');
  report.read('3 packets dropped by interface');
  report.newChild();
  report.read('tcpdump: 5 packets captured, 5 packets received by filter, 4 packets dropped by kernel');
  expect([report.kernelDrops, report.interfaceDrops]).toEqual([24, 3]);
});

test('why it ended is the last line that is not a count', () => {
  const report = new TcpdumpReport();
  report.read("tcpdump: eth9: You don't have permission to perform this capture on that device");
  report.read('(socket: Operation not permitted)');
  report.read('0 packets captured');
  expect(report.lastLine).toContain('Operation not permitted');
  expect(report.lastLine).toContain('eth9');
});

const phrases = [
  'tcpdump: listening on eth0, link-type EN10MB (Ethernet)',
  '(socket: Operation not permitted)',
  '99999999999999999999999999 packets dropped by kernel',
  '7 packets dropped by interface',
  '1 packet dropped by kernel',
  'tcpdump: pcap_loop: The interface disappeared',
  '('.repeat(3000),
  '9'.repeat(60_000),
  '\u001b[2J\u0007\u0000',
];

test('whatever is said, in whatever pieces, counts are whole numbers and what is kept has a bound', async () => {
  const random = new SeededRandom(21);
  for (let turn = 0; turn < 200; turn++) {
    const report = new TcpdumpReport();
    const stderr = new PassThrough();
    report.follow(stderr);
    for (let line = random.below(40); line > 0; line--) {
      const text = Buffer.from(random.chance(0.8) ? random.pick(phrases) : random.bytes(random.below(300)));
      const damaged = random.chance(0.3) ? text.subarray(random.below(text.length)) : text;
      for (let at = 0; at < damaged.length; at += 700) stderr.write(damaged.subarray(at, at + 700));
      if (random.chance(0.9)) stderr.write('\n');
      if (random.chance(0.1)) report.newChild();
    }
    stderr.end();
    await once(stderr, 'end');
    for (const count of [report.kernelDrops, report.interfaceDrops])
      expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
    expect(report.lastLine.length).toBeLessThanOrEqual(1000);
    expect(report.lastLine).not.toMatch(/\p{Cc}/u);
  }
});
