/** Values that would cut the fleet itself: refused at the controller with the reason, before any gateway hears of them. */
import { expect, test } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

async function sayWhatItStandsOn(api: TestApi): Promise<void> {
  await api.controller.fleet.gateways.takeReported(GatewayId.parse('edge-1'), {
    at: new Date().toISOString(),
    policy: { version: 1, step: 'confirmed', detail: null },
    decisions: { version: 0, step: 'verified', detail: null, in_force: 0 },
    mode: 'enforce',
    model_version: 'm1',
    threshold: 0.5,
    guarded: {
      own: ['192.168.7.1', '2001:db8:7::1'],
      default_routes: ['198.51.100.254'],
      broadcasts: ['192.168.7.255'],
    },
  });
  const guard = { admin_prefixes: [], management_ports: [22], never_block: ['203.0.113.0/24'] };
  const change = await api.call('admin', 'PATCH', '/gateways/edge-1', { guard });
  expect(change.status, JSON.stringify(change.body)).toBe(200);
}

const refused = [
  ['ip', '192.168.7.1', 409, /192\.168\.7\.1 is the gateway edge-1 itself/],
  ['cidr', '192.168.0.0/16', 409, /is the gateway edge-1 itself/],
  ['ip', '2001:0db8:0007::1', 409, /2001:db8:7::1 is the gateway edge-1 itself/],
  ['ip+port', '192.168.7.1 tcp/22', 409, /is the gateway edge-1 itself/],
  ['ip', '198.51.100.254', 409, /next hop of the default route of edge-1/],
  ['cidr', '198.51.100.0/24', 409, /next hop of the default route of edge-1/],
  ['ip', '192.168.7.255', 409, /192\.168\.7\.255 is the broadcast address of a subnet of edge-1/],
  ['device', '192.168.7.255', 409, /is the broadcast address of a subnet of edge-1/],
  ['ip', '203.0.113.80', 409, /edge-1 never blocks 203\.0\.113\.0\/24/],
  ['port', 'tcp/22', 409, /tcp\/22 is a management port of edge-1/],
  ['ip', '239.255.255.250', 422, /no host/],
  ['ip', 'ff02::fb', 422, /no host/],
  ['ip', '255.255.255.255', 422, /no host/],
  ['cidr', '255.255.255.0/24', 422, /no hosts/],
  ['cidr', '0.0.0.0/0', 422, /\/0 is too wide/],
  ['cidr', '128.0.0.0/1', 422, /\/1 is too wide/],
  ['cidr', '10.0.0.0/8', 422, /\/8 is too wide/],
  ['cidr', '::/0', 422, /\/0 is too wide/],
  ['ip', '127.0.0.1', 422, /loopback/],
  ['ip', '::ffff:127.0.0.1', 422, /loopback/],
] as const;

describeOnBothDatabases('values of decisions', (open) => {
  test('that the fleet stands on are refused with the reason; on another gateway they may be restricted', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await sayWhatItStandsOn(api);
    for (const [scope, value, status, reason] of refused) {
      const answer = await api.call('operator', 'POST', '/decisions', {
        scope,
        value,
        duration: '1h',
        reason: 'oops',
        gateways: ['edge-1'],
      });
      expect.soft([value, answer.status, answer.body.detail]).toEqual([value, status, expect.stringMatching(reason)]);
      expect.soft(answer.body.errors).toEqual([{ pointer: '/value', detail: expect.stringMatching(reason) }]);
    }
    expect(await api.controller.database.reader.selectFrom('decision_log').selectAll().execute()).toEqual([]);
    const elsewhere = {
      scope: 'ip',
      value: '192.168.7.1',
      duration: '1h',
      reason: 'a mad printer',
      gateways: ['edge-2'],
    };
    expect((await api.call('operator', 'POST', '/decisions', elsewhere)).status).toBe(202);
    const listedByOne = { scope: 'ip', value: '203.0.113.80', duration: '1h', reason: 'a botnet' };
    expect((await api.call('operator', 'POST', '/decisions', listedByOne)).status).toBe(202);
  });
});
