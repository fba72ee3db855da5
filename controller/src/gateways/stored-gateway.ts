/** A gateway's row as the API shows it. Pure. */
import type { Selectable } from 'kysely';
import { Health } from '@picket/shared/contract/gateway';
import { Policy, Reported } from '@picket/shared/contract/twin';
import type { GuardedAddresses, PolicyReported } from '@picket/shared/contract/twin';
import { StoredGateway } from '@picket/shared/contract/stored-gateway';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import { isSettled, provingProtocol } from '../twin/settled-policy.ts';
import type { GatewayRow } from './gateway-repository.ts';

export function toStoredGateway(row: GatewayRow): StoredGateway {
  const reported = parseOr(Reported, row.reported);
  const health = parseOr(Health, row.health);
  return StoredGateway.parse({
    id: row.id,
    status: row.revoked_at !== null ? 'revoked' : row.online === 1 ? 'online' : 'offline',
    labels: JSON.parse(row.labels) as unknown,
    mode: row.mode,
    threshold: row.threshold,
    guard: JSON.parse(row.guard) as unknown,
    benign_sample: row.benign_sample,
    enrolled_at: row.enrolled_at,
    updated_at: row.updated_at,
    revoked_at: row.revoked_at,
    presence_changed_at: row.presence_changed_at,
    boot_id: row.boot_id,
    agent_version: row.agent_version,
    protocol: row.protocol,
    twin: {
      policy: ladder(row.policy_version, reported?.policy, confirms(row)),
      decisions: ladder(row.decisions_version, reported?.decisions, false),
      reported_at: row.reported_at,
      mode: reported?.mode ?? null,
      model_version: reported?.model_version ?? null,
      bundle: reported?.bundle ?? null,
      threshold: reported?.threshold ?? null,
      in_force: reported?.decisions.in_force ?? null,
    },
    health: health ?? null,
    health_at: row.health_at,
    losses: {
      events_lost: row.lost ?? 0,
      events_rejected: row.rejected ?? 0,
      packets_dropped: health?.capture.dropped_kernel ?? 0,
      pipeline_dropped: (health?.flows.dropped ?? 0) + (health?.detection.dropped ?? 0),
    },
  });
}

/** What the gateway stands on, as it said; nothing where it said nothing. */
export function guardedOf(row: Selectable<GatewaysTable>): GuardedAddresses {
  return parseOr(Reported, row.reported)?.guarded ?? { own: [], default_routes: [] };
}

/** Devices that the gateway leaves alone for good; null where that is not known, as while a policy is tried. */
export function unmonitoredOf(row: Selectable<GatewaysTable>): readonly string[] | null {
  const reported = parseOr(Reported, row.reported);
  const isInSync = ladder(row.policy_version, reported?.policy, confirms(row)).in_sync;
  const payload = isInSync ? row.policy_jws?.split('.')[1] : undefined;
  if (payload === undefined) return null;
  return parseOr(Policy, Buffer.from(payload, 'base64url').toString('utf8'))?.unmonitored ?? null;
}

function confirms({ protocol }: Selectable<GatewaysTable>): boolean {
  return protocol >= provingProtocol;
}

/** `isConfirmed`: each version is confirmed over new connections, or put back. */
function ladder(
  desired: number,
  reported: PolicyReported | undefined,
  isConfirmed: boolean,
): StoredGateway['twin']['policy'] {
  return {
    desired_version: desired,
    reported:
      reported === undefined
        ? null
        : {
            version: reported.version,
            step: reported.step,
            detail: reported.detail,
            in_force: reported.in_force ?? null,
            steps: reported.steps ?? [],
          },
    in_sync: desired === 0 || (reported?.version === desired && isSettled(reported.step, isConfirmed)),
  };
}

/** What an older build stored may not fit any more; it is then as if nothing was said. */
function parseOr<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  text: string | null,
): T | undefined {
  if (text === null) return undefined;
  const parsed = schema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}
