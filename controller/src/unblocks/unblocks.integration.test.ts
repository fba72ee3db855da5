/** Fleet-wide unblock through the API, on both databases; gateways answer as agents do, through ingestion. */
import { expect, test } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { StoredUnblock } from '@picket/shared/contract/stored-unblock';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { decided, sampleDecision } from '../testing/sample-events.ts';
import { startTestApi } from '../testing/test-api.ts';

const edge2 = GatewayId.parse('edge-2');
const value = '203.0.113.9';

function answer(unblock: StoredUnblock, changes: Partial<UnblockProof> = {}): UnblockProof {
  const at = new Date().toISOString();
  return {
    unblock_id: unblock.id,
    at,
    outcome: 'not_held',
    removed: [],
    removed_count: 0,
    still_held: [],
    detail: null,
    ...changes,
  };
}

describeOnBothDatabases('unblocks', (open) => {
  test('every gateway is asked, answers with its proof, and owes it until then', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const own = sampleDecision({ value });
    const pair = sampleDecision({ scope: 'pair', value: `${value} 10.0.0.5` });
    const other = sampleDecision({ value: '203.0.113.10' });
    await api.ingest(
      'decisions',
      [own, pair, other].map((one) => decided(one, 'verified')),
      'edge-1',
    );
    const byHand = await api.call('operator', 'POST', '/decisions', {
      scope: 'ip',
      value,
      duration: '1h',
      reason: 'x',
    });

    const asked = await api.call('operator', 'POST', '/unblocks', { value: `::ffff:${value}`, reason: 'a customer' });
    expect(asked.status).toBe(202);
    const unblock = StoredUnblock.parse(asked.body);
    expect(unblock).toMatchObject({
      value,
      asked_by: 'operator',
      done: false,
      owing: 2,
      gateways: [
        { gateway_id: 'edge-1', state: 'owing', at: null },
        { gateway_id: 'edge-2', state: 'owing', at: null },
      ],
    });
    // the books follow at once, so that no snapshot brings it back
    for (const id of [own.id, pair.id, byHand.body.id])
      expect((await api.get(`/decisions/${id}`)).body).toMatchObject({ active: false, lifted_by: 'operator' });
    expect((await api.get(`/decisions/${other.id}`)).body).toMatchObject({ active: true });

    const removed = [own, pair].map((one) => ({
      decision_id: one.id,
      scope: one.scope,
      value: one.value,
      origin: one.origin,
    }));
    const proof = answer(unblock, { outcome: 'released', removed, removed_count: 2 });
    await api.ingest('decisions', [{ kind: 'unblock', body: proof }], 'edge-1');
    const half = (await api.get(`/unblocks/${unblock.id}`)).body;
    expect(half).toMatchObject({ done: false, owing: 1, gateways: [{ state: 'released', removed, at: proof.at }, {}] });

    // one whose kernel would not is asked again, like one that was away
    await api.ingest(
      'decisions',
      [{ kind: 'unblock', body: answer(unblock, { outcome: 'failed', detail: 'nft' }) }],
      'edge-2',
    );
    expect(await api.controller.history.unblocks.owedBy(edge2)).toMatchObject([{ id: unblock.id, value }]);
    await api.ingest('decisions', [{ kind: 'unblock', body: answer(unblock) }], 'edge-2');
    expect(await api.controller.history.unblocks.owedBy(edge2)).toEqual([]);
    expect((await api.get('/unblocks')).body.items).toMatchObject([{ id: unblock.id, done: true, owing: 0 }]);
  });

  test('a gateway answers only what it was asked, and what cannot be unblocked is refused', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { body } = await api.call('operator', 'POST', '/unblocks', { value, reason: 'x', gateways: ['edge-1'] });
    await api.ingest('decisions', [{ kind: 'unblock', body: answer(StoredUnblock.parse(body)) }], 'edge-2');
    expect((await api.get(`/unblocks/${body.id}`)).body.gateways).toMatchObject([
      { gateway_id: 'edge-1', state: 'owing' },
    ]);
    for (const [wrong, reason] of [
      ['0.0.0.0/0', /too wide/],
      ['host.example', /no address, prefix or MAC/],
    ] as const) {
      const refused = await api.call('operator', 'POST', '/unblocks', { value: wrong, reason: 'x' });
      expect([refused.status, refused.body.detail]).toEqual([422, expect.stringMatching(reason)]);
    }
    const nowhere = await api.call('operator', 'POST', '/unblocks', { value, reason: 'x', gateways: ['nowhere'] });
    expect([nowhere.status, (await api.call('viewer', 'POST', '/unblocks', { value, reason: 'x' })).status]).toEqual([
      422, 403,
    ]);
    expect((await api.get('/unblocks/019a1111-2222-7333-8444-00000000000e')).status).toBe(404);
  });
});
