/** A flow of a window as evidence: what the contract says it is, under the name that other tools have for it. */
import { FlowSummary } from '@picket/shared/contract/flow';
import { BootId, newId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import { WindowsBench, benchStartUs } from '../testing/windows-bench.ts';
import { evidenceOf } from './window-flow.ts';

test('a flow of the window can be named as evidence', () => {
  const windows = new WindowsBench();
  windows.add(1500, {
    flowNumber: 12,
    startedAtUs: benchStartUs,
    src: '2001:db8::5',
    dst: 'fd00::20',
    srcPort: 51_000,
    dstPort: 22,
    features: { 'Total Fwd Packets': 3, 'Total Length of Bwd Packets': 80 },
  });
  const bootId = BootId.parse(newId());
  const [flow] = windows.take()[0]?.flows ?? [];
  expect(FlowSummary.parse(flow && evidenceOf(flow, bootId))).toEqual({
    flow_id: `${bootId}.12`,
    started_at: '2023-11-14T22:13:20.000Z',
    last_packet_at: '2023-11-14T22:13:21.500Z',
    src_ip: '2001:db8::5',
    src_port: 51_000,
    dst_ip: 'fd00::20',
    dst_port: 22,
    protocol: 6,
    direction: 'inbound',
    fwd_packets: 3,
    bwd_packets: 0,
    fwd_bytes: 0,
    bwd_bytes: 80,
    community_id: expect.stringMatching(/^1:/),
  });
});

test.each([
  [{ protocol: 1, icmp: { type: 20, code: 1 }, srcPort: 0, dstPort: 0 }, '1:tz/fHIDUHs19NkixVVoOZywde+I='],
  [{ protocol: 1, icmp: { type: 8, code: 0 }, srcPort: 0, dstPort: 0 }, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
])('evidence carries the name that other tools have for the flow: %j', (flow, expected) => {
  const windows = new WindowsBench();
  windows.add(0, { flowNumber: 1, src: '192.168.0.89', dst: '192.168.0.1', ...flow });
  const [evidence] = windows.take()[0]?.flows ?? [];
  expect(evidence && evidenceOf(evidence, BootId.parse(newId())).community_id).toBe(expected);
});
