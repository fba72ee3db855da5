/** A gateway that is enrolled as far as the database knows, for tests that need no link to it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';

export async function addGateway(database: Database, id: string, online = true): Promise<GatewayId> {
  const now = new Date().toISOString();
  await database.writer
    .insertInto('gateways')
    .values({
      id,
      labels: '{}',
      mode: 'simulate',
      threshold: null,
      guard: JSON.stringify({ admin_prefixes: [], management_ports: [], never_block: [] }),
      benign_sample: 0.01,
      enrolled_at: now,
      updated_at: now,
      revoked_at: null,
      revoked_by: null,
      online: online ? 1 : 0,
      boot_id: null,
      presence_at: null,
      presence_changed_at: null,
      link_address: null,
      agent_version: '0.1.0',
      protocol: 1,
      health: null,
      health_at: null,
      reported: null,
      reported_at: null,
      policy_version: 0,
      policy_hash: null,
      policy_jws: null,
      policy_issued_at: null,
      decisions_version: 0,
    })
    .execute();
  return id as GatewayId;
}
