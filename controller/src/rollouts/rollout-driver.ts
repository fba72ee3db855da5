/**
 * Carries rollouts on without anybody asking: one step after another, never two at once in this process. What is under
 * way is in the database, so a controller that stopped between two steps, or another one, goes on from there.
 */
import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { RolloutGatewaysTable } from '../database/rollout-tables.ts';
import { judge, nextStep } from './plan-rollout.ts';
import type { RolloutChanges } from './rollout-changes.ts';
import type { RolloutRepository, RolloutWithGateways } from './rollout-repository.ts';
import { signedRules, toFleetGateway, toReleased } from './stored-rollout.ts';

export interface RolloutDriverParts {
  readonly rollouts: RolloutRepository;
  readonly changes: RolloutChanges;
  /** The rules as they are wanted of this gateway, whether or not it may have them yet. */
  readonly rulesFor: (gateway: GatewayId) => Promise<readonly Rule[]>;
  /** Signs and sends a policy where its content changed. */
  readonly refreshPolicy: (gateway: GatewayId) => Promise<void>;
  readonly log: Pick<Logger, 'error'>;
  readonly now: () => Date;
}

const lookEveryMs = 15_000;

export class RolloutDriver implements AsyncDisposable {
  readonly #parts: RolloutDriverParts;
  #timer: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(parts: RolloutDriverParts) {
    this.#parts = parts;
  }

  /** Carries on what is under way, and notices gateways that fall silent. */
  start(): void {
    this.#timer = setInterval(() => this.carryOn(), lookEveryMs);
    this.#timer.unref();
    this.carryOn();
  }

  /** Something was reported, somebody came: there may be something to do. Returns at once. */
  carryOn(): void {
    if (this.#isDue) return; // the one that waits will see it too
    this.carryOnNow().catch((error: unknown) => this.#parts.log.error({ err: error }, 'a rollout could not go on'));
  }

  /** Returns once there is nothing to do at this moment. */
  async carryOnNow(): Promise<void> {
    this.#isDue = true;
    const mine = this.#queue.then(async () => {
      this.#isDue = false;
      while (await this.#advance());
    });
    this.#queue = mine.catch(() => {});
    await mine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue;
  }

  /** One step; true where there may be another one. */
  async #advance(): Promise<boolean> {
    const latest = await this.#parts.rollouts.latest();
    if (latest?.rollout.state === 'rolled_back') return this.#revert(latest);
    if (latest?.rollout.state !== 'running') return false;
    if (await this.#signReleased(latest)) return true;
    const fleet = (await this.#parts.rollouts.fleet()).map(toFleetGateway);
    const released = latest.gateways.map(toReleased);
    const verdicts = judge(released, fleet, this.#parts.now().getTime());
    if (verdicts.length > 0) {
      const rows = verdicts.map(({ gatewayId, state, detail }) => ({ ...rowOf(latest, gatewayId), state, detail }));
      return this.#parts.changes.make(latest.rollout, {}, rows, 'rollout.gateways');
    }
    const step = nextStep(released, fleet);
    switch (step.kind) {
      case 'wait':
        return false;
      case 'complete': {
        const done = await this.#parts.changes.make(latest.rollout, { state: 'completed' }, [], 'rollout.complete');
        for (const { id } of fleet) await this.#parts.refreshPolicy(id as GatewayId); // who is away gets it when back
        return done;
      }
      case 'halt':
        return this.#parts.changes.make(latest.rollout, { state: 'halted', detail: step.detail }, [], 'rollout.halt');
      case 'roll_back':
        return this.#parts.changes.make(
          latest.rollout,
          { state: 'rolled_back', detail: step.detail },
          [],
          'rollout.roll-back',
        );
      case 'release':
        return this.#release(latest, step.wave, step.gatewayIds);
    }
  }

  async #release(latest: RolloutWithGateways, wave: number, ids: readonly string[]): Promise<boolean> {
    const now = this.#parts.now().toISOString();
    const rows: Selectable<RolloutGatewaysTable>[] = [];
    for (const id of ids) {
      const gateway = await this.#parts.rollouts.gateway(id as GatewayId);
      const had =
        (gateway === undefined ? undefined : signedRules(gateway)) ?? (await this.#parts.rulesFor(id as GatewayId));
      rows.push({
        rollout_id: latest.rollout.id,
        gateway_id: id,
        wave,
        state: 'released',
        version: null,
        reverted_version: null,
        released_at: now,
        detail: null,
        previous_rules: JSON.stringify(had),
      });
    }
    return this.#parts.changes.make(latest.rollout, { wave }, rows, 'rollout.wave');
  }

  /** Policies for those who were released and have none yet: also what a controller that stopped left undone. */
  async #signReleased(latest: RolloutWithGateways): Promise<boolean> {
    const unsigned = latest.gateways.filter(({ state, version }) => state === 'released' && version === null);
    if (unsigned.length === 0) return false;
    const signed: Selectable<RolloutGatewaysTable>[] = [];
    for (const row of unsigned) signed.push({ ...row, version: await this.#sign(row.gateway_id) });
    return this.#parts.changes.make(latest.rollout, {}, signed);
  }

  async #revert(latest: RolloutWithGateways): Promise<boolean> {
    const left = latest.gateways.filter(({ reverted_version: version }) => version === null);
    if (left.length === 0) return false;
    const rows: Selectable<RolloutGatewaysTable>[] = [];
    for (const row of left) rows.push({ ...row, reverted_version: await this.#sign(row.gateway_id) });
    return this.#parts.changes.make(latest.rollout, {}, rows, 'rollout.reverted');
  }

  async #sign(gateway: string): Promise<number> {
    await this.#parts.refreshPolicy(gateway as GatewayId);
    return (await this.#parts.rollouts.gateway(gateway as GatewayId))?.policy_version ?? 0;
  }
}

function rowOf(latest: RolloutWithGateways, gatewayId: string): Selectable<RolloutGatewaysTable> {
  const row = latest.gateways.find(({ gateway_id: id }) => id === gatewayId);
  if (row === undefined) throw new Error(`${gatewayId} is judged and was not released`);
  return row;
}
