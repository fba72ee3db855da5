/** What a replay says in the end where there is no alert: never a clean bill by silence. */
import { expect, test } from 'vitest';
import { likelyPrefix, type OutcomeFigures } from './replay-outcome.ts';
import { describeSummary, type ReplaySummary } from './replay-summary.ts';

const highest = { score: 0.284, device: '192.168.1.20', at: '2026-11-21T07:55:46.643Z' };

const summary: ReplaySummary = {
  packets: 797,
  flows: 400,
  reports: 0,
  evicted: 0,
  devices: 2,
  windows: 36,
  predictions: 36,
  attacks: 0,
  alerts: 0,
  highest,
  drops: 0,
  undecodable: 0,
  seconds: 2,
};

const outcome: OutcomeFigures = { devices: 2, highest, threshold: 0.94, fullest: 10, attacked: [], outside: null };

function told(said: Partial<ReplaySummary> = {}, known: Partial<OutcomeFigures> = {}, links = ''): readonly string[] {
  return describeSummary({ ...summary, ...said }, { ...outcome, ...known }, links).split('\n');
}

test('the numbers come first, in the right number; a rate only where it is that of the replay', () => {
  const [figures] = told();
  expect(figures).toBe(
    '797 packets in 2.0 s: 400 flows, 36 windows of 2 devices scored, 0 of them as an attack, 0 alerts; 0 dropped, 0 undecodable',
  );
  expect(told({ packets: 1, flows: 1, predictions: 1, devices: 1, alerts: 1 })[0]).toMatch(
    /^1 packet in 2\.0 s: 1 flow, 1 window of 1 device scored, .* 1 alert; /,
  );
  expect(told({ packets: 300_000 })[0]).toMatch(/^300000 packets in 2\.0 s \(150,000 a second\): /);
});

test('where nothing reached the threshold the highest score is told, and how short of it that is', () => {
  expect(told()[1]).toBe(
    'no alert: the highest score is 0.28 (192.168.1.20 at 2026-11-21T07:55:46.643Z), an attack begins at 0.94, and nothing was an attack by its number alone',
  );
  expect(told({}, { fullest: 1 })[1]).toMatch(/; no window held more than 1 flow, where a full one holds ten$/);
  expect(told({ alerts: 2 })).toHaveLength(1);
});

test('windows that score as an attack and raise no alert are accounted for', () => {
  const attack = { attack: 'slow_rate', score: 0.996 } as const;
  const attacked = [
    { device: '192.168.1.20', windows: 13, counted: 2, ...attack },
    { device: '192.168.1.7', windows: 2, counted: 1, ...attack },
    { device: '192.168.1.8', windows: 1, counted: 0, ...attack },
  ];
  expect(told({ attacks: 16 }, { attacked })[1]).toBe(
    'no alert, though some scored 0.94 or more: ' +
      '13 windows of 192.168.1.20 (Slow-rate denial of service, up to 1.00), of which 2 count, ' +
      '2 windows of 192.168.1.7 (Slow-rate denial of service, up to 1.00), of which 1 counts, ' +
      '1 window of 192.168.1.8 (Slow-rate denial of service, up to 1.00), of which none counts. ' +
      'A window counts where it has 5 new or updated flows, and no single one raises an alert: ' +
      'rules ask for 2 to 4 of the last few windows that count, or for 15 of 20 (docs/operations.md)',
  );
  expect(told({}, { attacked: [...attacked, ...attacked] })[1]).toContain(', and more of 3 other devices. ');
});

test('that nothing was judged is said with its reason, and what to do', () => {
  const nothing = { predictions: 0, devices: 0, highest: null };
  const unknown = { devices: 0, highest: null, threshold: null, fullest: 0 };
  expect(told(nothing, unknown)[1]).toMatch(/^nothing was scored.*--lan PREFIX/);
  expect(told({ ...nothing, flows: 0 }, unknown)[1]).toMatch(/no.*conversation over IP \(ARP/);
  expect(told({ ...nothing, flows: 0, packets: 0 }, unknown)[1]).toBe(
    'nothing was judged: the capture holds no packets',
  );
  expect(told({ ...nothing, flows: 0, undecodable: 797 }, unknown)[1]).toMatch(/none of the packets could be read$/);
  const links = '802.11 with radiotap header (127)';
  expect(told({ ...nothing, flows: 0, undecodable: 797 }, unknown, links).slice(1)).toEqual([
    `packets of links that are not supported were left out: ${links}. Capture on an Ethernet, cooked, raw IP or loopback interface`,
  ]);
});

test('where a quarter of the flows has no end in the LAN it is asked whose they are', () => {
  const outside = { flows: 100, busiest: '147.32.80.37' };
  expect(told({}, { outside })[2]).toBe(
    '100 flows of 400 have both ends outside of the LAN, and whoever was asked was taken for the device. ' +
      'If 147.32.80.37, the busiest of them, is one of your devices, say so: --lan 147.32.80.0/24',
  );
  expect(told({ alerts: 1 }, { outside })[1]).toContain('--lan 147.32.80.0/24');
  expect(told({}, { outside: { ...outside, flows: 99 } })).toHaveLength(2);
  expect(likelyPrefix('2001:db8:1:2::2')).toBe('2001:db8:1:2::/64');
});
