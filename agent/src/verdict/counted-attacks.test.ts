/** From packets to a person: attacks that are plain by their number, whatever the network makes of each window. */
import { Alert } from '@picket/shared/contract/alert';
import { BootId, newId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { chunkOf, tcpFrame, type Ends, type TimedFrame } from '../testing/packet-builder.ts';
import { scoredWindow } from '../testing/scored-windows.ts';
import { DeviceWindows } from '../window/device-windows.ts';
import type { DecisionDraft } from './decision-draft.ts';
import { Verdicts } from './decide-verdicts.ts';

const startUs = 1_700_000_000_000_000;
const device = '192.168.1.20';
const stranger = '203.0.113.9';

/** A packet of a conversation: seconds after the capture began, whose, TCP flags, bytes. */
type Step = readonly [at: number, from: 'client' | 'server', flags: string, payload?: number];

const refused = (at: number): readonly Step[] => [
  [at, 'client', 'S'],
  [at + 0.001, 'server', 'RA'],
];
const said = (at: number, bytes: number): readonly Step[] => [
  [at, 'client', 'S'],
  [at + 0.001, 'server', 'SA'],
  [at + 0.002, 'client', 'A'],
  [at + 0.01, 'server', 'PA', 200],
  [at + 0.02, 'client', 'PA', 60],
  [at + 0.3, 'server', 'PA', bytes],
  [at + 0.31, 'client', 'FA'],
  [at + 0.32, 'server', 'FA'],
  [at + 0.33, 'client', 'A'],
];

function framesOf(ends: Ends, steps: readonly Step[]): readonly TimedFrame[] {
  const back: Ends = { src: ends.dst, srcPort: ends.dstPort ?? 0, dst: ends.src, dstPort: ends.srcPort ?? 0 };
  return steps.map(([at, from, flags, payload = 0]) => ({
    timeUs: startUs + Math.round(at * 1e6),
    frame: tcpFrame(from === 'client' ? ends : back, { flags, payload }),
  }));
}

/** What a gateway says whose network calls every window benign, or an attack of this class. */
function told(
  frames: readonly TimedFrame[],
  says: Parameters<typeof scoredWindow>[0]['says'] = 'benign',
): { alerts: readonly Alert[]; drafts: readonly DecisionDraft[]; judged: number } {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()) });
  const devices = new DeviceRegistry();
  const windows = new DeviceWindows({ source: 'pcap' });
  const alerts: Alert[] = [];
  const drafts: DecisionDraft[] = [];
  let judged = 0;
  const judge = (): void => {
    for (const context of windows.takeDue()?.contexts ?? []) {
      const { prediction } = scoredWindow({
        at: 0,
        says,
        device: context.device.address,
        score: says === 'benign' ? 0.02 : 0.99,
      });
      const verdict = verdicts.decide({ prediction, context });
      judged += 1;
      alerts.push(...verdict.alerts);
      drafts.push(...verdict.drafts);
    }
  };
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => {
    for (let row = 0; row < batch.count; row++)
      for (const { device: one, direction } of devices.attribute(batch, row)) windows.add(batch, row, one, direction);
    judge();
  });
  for (const frame of frames.toSorted((a, b) => a.timeUs - b.timeUs)) {
    meter.add(chunkOf([frame]));
    meter.flush();
  }
  meter.finish();
  windows.finish();
  judge();
  alerts.push(...verdicts.finish());
  return { alerts: alerts.map((alert) => Alert.parse(alert)), drafts, judged };
}

const each = (count: number, steps: (index: number) => readonly Step[], ends: (index: number) => Partial<Ends>) =>
  Array.from({ length: count }, (_, index) =>
    framesOf({ src: stranger, srcPort: 40_000 + index, dst: device, dstPort: 80, ...ends(index) }, steps(index)),
  ).flat();
const scan = each(
  40,
  (index) => refused(index * 0.1),
  (index) => ({ dstPort: 1000 + index }),
);
const longScan = each(
  120,
  (index) => refused(index * 0.1),
  (index) => ({ dstPort: 1000 + index }),
);
const guesses = each(
  26,
  (index) => said(index * 1.5, 40),
  () => ({ dstPort: 21 }),
);

test('a scan is one alert and one decision, which say what was counted, and the score is the network’s', () => {
  const { alerts, drafts } = told(scan);
  expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
  expect(alerts.at(-1)).toMatchObject({
    class: 'port_scan',
    severity: 'critical',
    score: 0.02,
    is_plain: true,
    peer: stranger,
    alert_type: 'sustained_attack',
    first_seen_at: '2023-11-14T22:13:20.000Z',
  });
  expect(alerts.at(-1)?.message).toMatch(
    /^Port scan by 203\.0\.113\.9 against 192\.168\.1\.20, \d\d ports of 192\.168\.1\.20 tried by 203\.0\.113\.9 within 3\.\d s, and not a byte said\.$/,
  );
  expect(drafts).toMatchObject([
    { action: 'block', scope: 'ip', value: stranger, origin: 'rule', scenario: 'port_scan', is_forgeable: true },
  ]);
  expect(drafts[0]?.reason).toMatch(
    /^3\d ports of 192\.168\.1\.20 tried by 203\.0\.113\.9 within \d(?:\.\d)? s, and not a byte said; the network's score 0\.02 \(threshold 0\.50\)$/,
  );
});

test('a flood of a quarter second is counted by the flows that no window showed', () => {
  const silent = each(
    150,
    (index) => [[index * 0.0015, 'client', 'S']],
    () => ({ dstPort: 80 }),
  );
  const { drafts } = told(silent);
  expect(drafts.map(({ scope, value, scenario }) => [scope, value, scenario])).toEqual([
    ['ip', stranger, 'ddos_flood'],
    ['ip+port', `${device} tcp/80`, 'ddos_flood'],
  ]);
});

test('guesses of a password are one decision as well, and no forgery', () => {
  const { alerts, drafts } = told(guesses);
  expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
  expect(alerts.at(-1)?.message).toMatch(
    /^FTP password guessing by 203\.0\.113\.9 against 192\.168\.1\.20, 2\d log-ins at ftp of 192\.168\.1\.20 by 203\.0\.113\.9 within \d\d s, none of them long\.$/,
  );
  expect(drafts.map(({ value, scenario, is_forgeable: isForgeable }) => [value, scenario, isForgeable])).toEqual([
    [stranger, 'brute_force_ftp', undefined],
  ]);
});

test('what the network sees too stays one alert, and no window counts twice in it', () => {
  const seen = told(longScan, 'port_scan');
  expect(new Set(seen.alerts.map(({ id }) => id)).size).toBe(1);
  expect(seen.drafts).toMatchObject([{ value: stranger, origin: 'model' }]);
  expect(seen.alerts.at(-1)?.score).toBe(0.99);
  expect(seen.alerts.at(-1)?.message).toContain('ports of 192.168.1.20 tried by');
  expect(seen.alerts.at(-1)?.count).toBeLessThanOrEqual(seen.judged);
});

test.each([
  [
    'a page with forty connections',
    each(
      40,
      () => said(0, 9000),
      () => ({ dstPort: 443 }),
    ),
  ],
  [
    'a camera that is away from its server',
    each(
      200,
      (at) => refused(at),
      () => ({ src: device, dst: '198.51.100.7', dstPort: 8883 }),
    ),
  ],
  [
    'a slow guesser',
    each(
      60,
      (at) => said(at * 4, 40),
      () => ({ dstPort: 21 }),
    ),
  ],
  [
    'forty ports of a host that answers on each',
    each(
      40,
      (at) => said(at * 0.1, 40),
      (at) => ({ dstPort: 9000 + at }),
    ),
  ],
])('%s is nothing that could be counted', (_, frames) => {
  expect(told(frames)).toMatchObject({ alerts: [], drafts: [] });
});
