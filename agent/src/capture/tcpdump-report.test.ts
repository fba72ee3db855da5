import { expect, test } from 'vitest';
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
