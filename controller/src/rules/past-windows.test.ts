/** Stored flows as decisions are taken on them: what blame hangs by is read back. */
import { GatewayId } from '@picket/shared/contract/identifiers';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { findOffender } from '@picket/shared/policy/offending-peer';
import { expect, test } from 'vitest';
import type { PastFlow, PastWindow } from './dry-run-repository.ts';
import { judgedWindow } from './past-windows.ts';

const gatewayId = GatewayId.parse('hall-1');
const at = '2026-11-23T10:00:00.000Z';

/** As SQLite and PostgreSQL hand over four bytes of a row's features. */
const stored = (count: number): Uint8Array => new Uint8Array(Float32Array.of(count).buffer);

/** A page of the device on its way to who asked for it, the request lost. */
const answer = (id: string): PastFlow => ({
  flow_id: id,
  gateway_id: gatewayId,
  device_id: 'camera',
  report_number: 0,
  end_reason: 'closed',
  direction: 'outbound',
  started_at: at,
  last_packet_at: at,
  src_ip: '192.168.1.20',
  src_port: 80,
  dst_ip: '203.0.113.9',
  dst_port: 40_000,
  protocol: 6,
  fwd_packets: 6,
  bwd_packets: 3,
  fwd_bytes: 7587,
  bwd_bytes: 80,
  source: 'live',
  is_relayed: null,
  recorded_at: at,
  syn: stored(0),
  ack: stored(9),
});

test('a dry run blames nobody for answers to requests that the capture lost either', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const window: PastWindow = {
    id: 'p',
    gateway_id: gatewayId,
    device_id: 'camera',
    at,
    score: 0.99,
    threshold: 0.9,
    class_probabilities: JSON.stringify(trafficClasses.map((name) => (name === 'ddos_flood' ? 1 : 0))),
    flows_seen: ids.length,
    flow_ids: JSON.stringify(ids),
    recorded_at: at,
    address: '192.168.1.20',
    mac: null,
  };
  const judged = judgedWindow(window, new Map(ids.map((id) => [id, answer(id)])), true);
  expect(judged.attack).toBe('ddos_flood');
  expect(findOffender(judged, judged.attack)).toMatchObject({ kind: 'peers', peers: ['203.0.113.9'] });
});
