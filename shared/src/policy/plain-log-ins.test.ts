import { expect, test } from 'vitest';
import { countedIn, logIn, oneAfterTheOther } from '../testing/counted-flows.ts';
import { camera, startUs } from '../testing/judged-flows.ts';
import { times } from '../testing/prevention-gateway.ts';
import type { JudgedFlow } from './judged-window.ts';

const guesses = (count: number, everySeconds: number, dstPort: number): readonly Partial<JudgedFlow>[] =>
  oneAfterTheOther(count, everySeconds, () => ({ ...logIn, dstPort }));

test.each([
  ['ssh', 22, 35],
  ['ssh', 2222, 35],
  ['ftp', 21, 20],
  ['telnet', 23, 15],
])('many short log-ins at %s (port %i) within a minute are guesses', (service, port, least) => {
  expect(countedIn(guesses(least - 1, 1, port))).toEqual([]);
  expect(countedIn(guesses(least, 1, port))).toEqual([
    `${least} log-ins at ${service} of ${camera} by 203.0.113.9 within ${least - 1} s, none of them long`,
  ]);
});

test.each([
  ['guesses slowly', guesses(100, 2.6, 22)],
  ['opens pages', guesses(100, 0.5, 443)],
  ['only knocks', oneAfterTheOther(100, 0.5, () => ({ ...logIn, dstPort: 22, bwdBytes: 0 }))],
  [
    'asks whether it is there',
    oneAfterTheOther(100, 0.5, () => ({ ...logIn, dstPort: 22, fwdBytes: 0, bwdBytes: 40 })),
  ],
  ['fetches files', oneAfterTheOther(100, 0.5, () => ({ ...logIn, dstPort: 22, bwdBytes: 9000 }))],
  ['writes files', oneAfterTheOther(100, 0.5, () => ({ ...logIn, dstPort: 22, fwdBytes: 7000 }))],
  ['stays', oneAfterTheOther(100, 0.5, () => ({ ...logIn, dstPort: 22, fwdPackets: 41 }))],
])('who %s is not counted', (_, flows) => {
  expect(countedIn(flows)).toEqual([]);
});

test('the guests of one service are counted apart, and so are the services of one guest', () => {
  const guests = oneAfterTheOther(48, 1, (at) => ({ ...logIn, dstPort: 22, srcIp: `203.0.113.${9 + (at % 2)}` }));
  expect(countedIn(guests)).toEqual([]);
  const hosts = oneAfterTheOther(48, 1, (at) => ({
    ...logIn,
    dstPort: 22,
    srcIp: camera,
    dstIp: `192.168.1.${30 + (at % 2)}`,
    direction: 'internal' as const,
  }));
  expect(countedIn(hosts)).toEqual([]);
});

test('sessions that are short only when they are first shown are taken back', () => {
  const session = (at: number, seconds: number, fwdPackets: number): Partial<JudgedFlow> => ({
    ...logIn,
    dstPort: 22,
    startedAtUs: startUs + at * 1e6,
    lastPacketAtUs: startUs + (at + seconds) * 1e6,
    fwdPackets,
  });
  const opened = times(40, (at) => [session(at, 0.3, 14), session(at, 0.6, 80)]).flat();
  expect(countedIn(opened)).toEqual([]);
});
