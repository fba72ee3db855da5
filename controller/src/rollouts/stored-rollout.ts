/** A rollout as it is kept, as its next step is planned from, and as the API and the live stream show it. Pure. */
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { Rule } from '@picket/shared/contract/rule';
import { StoredRollout } from '@picket/shared/contract/stored-rollout';
import { Policy, Reported } from '@picket/shared/contract/twin';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import type { RolloutGatewaysTable } from '../database/rollout-tables.ts';
import { provingProtocol } from '../twin/settled-policy.ts';
import type { FleetGateway, Released } from './plan-rollout.ts';
import type { RolloutWithGateways } from './rollout-repository.ts';

export function toReleased(row: Selectable<RolloutGatewaysTable>): Released {
  const { gateway_id: gatewayId, wave, version } = row;
  const state = row.state as Released['state'];
  return { gatewayId, wave, state, version, releasedAtMs: Date.parse(row.released_at) };
}

export function toFleetGateway(row: Selectable<GatewaysTable>): FleetGateway {
  const labels = z.record(z.string(), z.string()).parse(JSON.parse(row.labels));
  const reported = row.reported === null ? undefined : Reported.safeParse(JSON.parse(row.reported)).data;
  return {
    id: row.id,
    online: row.online === 1,
    isCanary: labels['canary'] !== undefined && labels['canary'] !== 'false',
    confirms: row.protocol >= provingProtocol,
    reported: reported?.policy,
  };
}

/** The rules in the policy that was signed last; undefined where there is none that this build reads. */
export function signedRules({ policy_jws: jws }: Selectable<GatewaysTable>): readonly Rule[] | undefined {
  const payload = jws?.split('.')[1];
  if (payload === undefined) return undefined;
  return Policy.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data?.rules;
}

export function parseRules(text: string): readonly Rule[] {
  return z.array(Rule).parse(JSON.parse(text));
}

export function toStored({ rollout, gateways }: RolloutWithGateways, fleetSize: number): StoredRollout {
  const isOver = rollout.state === 'completed' || rollout.state === 'superseded';
  return StoredRollout.parse({ ...rollout, waiting: isOver ? 0 : Math.max(0, fleetSize - gateways.length), gateways });
}
