import { expect, test, vi } from 'vitest';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { AlertDetail, StoredAlert } from '@picket/shared/contract/stored-alert';
import { LiveFeed } from '../live/live-feed.ts';
import { sampleAlert } from '../testing/sample-events.ts';
import { printAlerts } from './print-alerts.ts';

const { device, class: attack, explanation, evidence, ...said } = sampleAlert();
const alert: StoredAlert = {
  ...said,
  gateway_id: 'hall-1' as GatewayId,
  device_id: null,
  device_name: 'camera',
  device_address: device.address,
  attack_type: attack,
  summary: explanation?.summary ?? '',
  risk_level: said.severity,
  status: 'active',
  is_acknowledged: false,
  acknowledged_by: null,
  acknowledged_at: null,
  assignee: null,
  tags: [],
  resolved_by: null,
  resolved_at: null,
  resolution_notes: null,
  created_at: said.first_seen_at,
  raised_at: said.first_seen_at,
  recorded_at: said.last_seen_at,
};

/** What is printed of a new alert with these reasons. */
async function printedWith(reasons: readonly [feature: string, value: number, unit: string, importance: number][]) {
  const [any] = explanation!.top_features;
  const features = reasons.map(([feature, value, unit, importance]) => ({ ...any!, feature, value, unit, importance }));
  const told = { ...explanation!, top_features: features };
  const detail: AlertDetail = { ...alert, explanation: told, evidence, decisions: [], history: [], related: [] };
  const feed = new LiveFeed();
  const printed: string[] = [];
  const end = printAlerts({
    feed,
    getAlert: async () => detail,
    print: (lines) => printed.push(lines),
    colours: false,
  });
  feed.publish('alerts', { type: 'alert_created', data: { ...alert } });
  await vi.waitFor(() => expect(printed).toHaveLength(1), { timeout: 20_000 });
  end();
  return printed[0];
}

test('what spoke against an alert is not given as its reason', async () => {
  const printed = await printedWith([
    ['Fwd PSH Flags', 1, 'packets', -0.4],
    ['Flow Duration', 12, 'us', 0.3],
  ]);
  expect(printed).toContain('because of length of a conversation 12 µs (30 %)');
  expect(printed).not.toContain('pushed packets');
});

test('ports, windows that nobody told and the shortest times are printed as what they are', async () => {
  const printed = await printedWith([
    ['Destination Port', 8080, 'port', 0.4],
    ['Init_Win_bytes_forward', -1, 'bytes', 0.3],
    ['Peer Known', 0, 's', 0.2],
  ]);
  expect(printed).toContain(
    'because of port 8080 (40 %), first TCP window of the opener none (30 %), time that the peer has been known for under 1 ms (20 %)',
  );
});

test('columns that say the same are one reason, which weighs what they weigh together', async () => {
  const printed = await printedWith([
    ['Destination Port', 8080, 'port', 0.09],
    ['Fwd Packet Length Mean', 105, 'bytes', 0.08],
    ['Avg Fwd Segment Size', 105, 'bytes', 0.06],
  ]);
  expect(printed).toContain('because of mean payload of the opener’s packets 105 bytes (14 %), port 8080 (9 %)');
});

test('what was resolved and is open again is printed again, what is called a false positive is not', async () => {
  const feed = new LiveFeed();
  const printed: string[] = [];
  const detail: AlertDetail = { ...alert, explanation: null, evidence, decisions: [], history: [], related: [] };
  const end = printAlerts({
    feed,
    getAlert: async () => detail,
    print: (lines) => printed.push(lines),
    colours: false,
  });
  feed.publish('alerts', { type: 'alert_updated', data: { ...alert, status: 'false_positive', returns: 1 } });
  feed.publish('alerts', { type: 'alert_created', data: { ...alert } });
  feed.publish('alerts', { type: 'alert_updated', data: { ...alert, returns: 1 } });
  feed.publish('alerts', { type: 'alert_reopened', data: { ...alert, returns: 2 } });
  await vi.waitFor(() => expect(printed).toHaveLength(2), { timeout: 20_000 });
  end();
});
