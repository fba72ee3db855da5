/**
 * What the controller wants of each gateway, signed and sent: the policy, retained at the broker, and the log of
 * decisions as deltas. Sending may fail, for nothing depends on it: a gateway that comes back is told where the log
 * stands, and fetches the snapshot when it missed something.
 */
import type { Logger } from 'pino';
import type { Decision } from '@picket/shared/contract/decision';
import type { DecisionId, GatewayId } from '@picket/shared/contract/identifiers';
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import type { Rule } from '@picket/shared/contract/rule';
import { topics } from '@picket/shared/contract/topics';
import { decisionsTyp, policyTyp } from '@picket/shared/contract/twin';
import type { DecisionChange, DecisionsMessage } from '@picket/shared/contract/twin';
import type { UnblockOrder } from '@picket/shared/contract/unblock';
import type { Actor } from '../audit/audit-service.ts';
import { inChunks } from '../database/upsert.ts';
import type { DecisionPublisher } from '../decisions/decision-publisher.ts';
import type { PolicyPublisher, StageRollout } from '../rules/policy-publisher.ts';
import type { UnblockPublisher } from '../unblocks/unblock-publisher.ts';
import { hashOf, isDue, policyContent, policyDocument } from './policy-document.ts';
import { provingProtocol } from './settled-policy.ts';
import type { TwinRepository } from './twin-repository.ts';

export interface TwinServiceParts {
  readonly twin: TwinRepository;
  /** Compact JWS of the document under this `typ`. */
  readonly sign: (typ: string, document: object) => Promise<string>;
  /** Throws while the broker is away. */
  readonly publish: (topic: string, payload: string, options: { readonly retain: boolean }) => Promise<void>;
  /** Rules that this gateway may have by now. */
  readonly rulesFor: (gateway: GatewayId) => Promise<readonly Rule[]>;
  /** Makes this person's change of them, and gives them to every gateway, wave by wave. */
  readonly changeRules: <T>(by: Actor, change: (stage: StageRollout) => Promise<T>) => Promise<T>;
  /** Addresses of devices that this gateway is not to watch. */
  readonly unmonitoredBy: (gateway: GatewayId) => Promise<readonly string[]>;
  /** The model bundle that this gateway shall serve; undefined: its own. */
  readonly bundleFor: (gateway: GatewayId) => Promise<BundleReference | undefined>;
  /** What this gateway owes the proof of. */
  readonly unblocksOwedBy: (gateway: GatewayId) => Promise<readonly UnblockOrder[]>;
  readonly log: Logger;
  readonly now?: () => Date;
}

const messageLifetimeMs = 3_600_000;
const changesPerDelta = 500;
const maxSnapshot = 20_000;
const refreshEveryMs = 3_600_000;

export class TwinService implements DecisionPublisher, PolicyPublisher, UnblockPublisher, AsyncDisposable {
  readonly #parts: TwinServiceParts;
  readonly #now: () => Date;
  /** One gateway's messages leave in the order of their versions. */
  readonly #lanes = new Map<GatewayId, Promise<void>>();
  #refresh: NodeJS.Timeout | undefined;

  constructor(parts: TwinServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Renews policies before they end. */
  start(): void {
    this.#refresh = setInterval(() => void this.refreshAll(), refreshEveryMs);
    this.#refresh.unref();
  }

  async publish(gatewayId: GatewayId, changes: readonly DecisionChange[]): Promise<void> {
    const appended = await this.#parts.twin.append(gatewayId, changes, this.#now());
    if (appended === undefined) return;
    let fromVersion = appended.fromVersion;
    for (const chunk of inChunks(appended.changes, changesPerDelta)) {
      const version = fromVersion + chunk.length;
      await this.#sendDecisions(gatewayId, {
        ...this.#envelope(gatewayId),
        type: 'delta',
        from_version: fromVersion,
        version,
        changes: [...chunk],
      });
      fromVersion = version;
    }
  }

  changeRules<T>(by: Actor, change: (stage: StageRollout) => Promise<T>): Promise<T> {
    return this.#parts.changeRules(by, change);
  }

  async bundlesChanged(): Promise<void> {
    await this.refreshAll();
  }

  /** To an agent that understands it; an older one owes the proof until it is upgraded. */
  async unblocksChanged(gateway: GatewayId): Promise<void> {
    const row = await this.#parts.twin.find(gateway);
    if (row === undefined || row.protocol < provingProtocol) return;
    const unblocks = await this.#parts.unblocksOwedBy(gateway);
    if (unblocks.length === 0) return;
    await this.#sendDecisions(gateway, { ...this.#envelope(gateway), type: 'unblock', unblocks: [...unblocks] });
  }

  async monitoringChanged(gatewayId: GatewayId): Promise<void> {
    await this.refreshPolicy(gatewayId);
  }

  /** Signs a new version where the content changed, and sends the one in force. Never rejects for a broker that is away. */
  async refreshPolicy(gateway: GatewayId): Promise<void> {
    await this.#inLane(gateway, async () => {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const jws = await this.#currentPolicy(gateway);
        if (jws === 'overtaken') continue;
        if (jws !== undefined) await this.#send(topics.down(gateway, 'policy'), jws, true);
        return;
      }
    });
  }

  async refreshAll(): Promise<void> {
    for (const { id } of await this.#parts.twin.gateways()) await this.refreshPolicy(id);
  }

  /** The broker is there (again), and may have forgotten everything. */
  async onBrokerConnected(): Promise<void> {
    for (const { id, online } of await this.#parts.twin.gateways()) {
      await this.refreshPolicy(id);
      if (online) await this.#sendHead(id);
    }
  }

  /** The gateway is there (again), and may have missed something. */
  async onGatewayOnline(gateway: GatewayId): Promise<void> {
    await this.refreshPolicy(gateway);
    await this.unblocksChanged(gateway); // before the log lifts the same, so that the proof names it
    await this.#sendHead(gateway);
  }

  /** All that shall hold on this gateway, signed: the answer to an agent that missed a delta. */
  async snapshot(gateway: GatewayId): Promise<string> {
    const { version, steps } = await this.#parts.twin.log(gateway, this.#now().toISOString());
    const added = new Map<string, Decision>();
    const lifted = new Set<string>();
    for (const step of steps) {
      if (step.op === 'delete') {
        if (!added.delete(step.decision_id)) lifted.add(step.decision_id);
      } else if (step.decision !== null) added.set(step.decision_id, JSON.parse(step.decision) as Decision);
    }
    if (added.size > maxSnapshot || lifted.size > maxSnapshot)
      this.#parts.log.error(
        { gateway, decisions: added.size, lifted: lifted.size },
        'too many decisions for one gateway; the oldest are left out',
      );
    const message: DecisionsMessage = {
      ...this.#envelope(gateway),
      type: 'snapshot',
      version,
      decisions: [...added.values()].slice(-maxSnapshot),
      lifted: [...lifted].slice(-maxSnapshot) as DecisionId[],
    };
    return this.#parts.sign(decisionsTyp, message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#refresh);
    await Promise.all(this.#lanes.values());
  }

  /** The JWS in force; undefined for a gateway that is gone; `overtaken` where another controller signed meanwhile. */
  async #currentPolicy(gateway: GatewayId): Promise<string | undefined> {
    const row = await this.#parts.twin.find(gateway);
    if (row === undefined) return undefined;
    const [rules, unmonitored, bundle] = await Promise.all([
      this.#parts.rulesFor(gateway),
      this.#parts.unmonitoredBy(gateway),
      this.#parts.bundleFor(gateway),
    ]);
    const now = this.#now();
    const content = policyContent(row, rules, unmonitored, bundle);
    if (!isDue(row, content, now)) return row.policy_jws ?? undefined;
    const version = row.policy_version + 1;
    const jws = await this.#parts.sign(policyTyp, policyDocument(gateway, version, content, now));
    const saved = await this.#parts.twin.savePolicy(gateway, {
      version,
      hash: hashOf(content),
      jws,
      issuedAt: now.toISOString(),
    });
    return saved ? jws : 'overtaken';
  }

  async #sendHead(gateway: GatewayId): Promise<void> {
    const row = await this.#parts.twin.find(gateway);
    if (row === undefined) return;
    await this.#sendDecisions(gateway, { ...this.#envelope(gateway), type: 'head', version: row.decisions_version });
  }

  async #sendDecisions(gateway: GatewayId, message: DecisionsMessage): Promise<void> {
    await this.#inLane(gateway, async () =>
      this.#send(topics.down(gateway, 'decisions'), await this.#parts.sign(decisionsTyp, message), false),
    );
  }

  #envelope(gateway: GatewayId): { audience: GatewayId; issued_at: string; expires_at: string } {
    const now = this.#now().getTime();
    return {
      audience: gateway,
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + messageLifetimeMs).toISOString(),
    };
  }

  async #send(topic: string, payload: string, retain: boolean): Promise<void> {
    try {
      await this.#parts.publish(topic, payload, { retain });
    } catch (error) {
      this.#parts.log.warn(
        { topic, reason: (error as Error).message },
        'not sent now; the gateway gets it when it is back',
      );
    }
  }

  /** Resolves with what `work` does, after all that was asked for this gateway before. */
  async #inLane(gateway: GatewayId, work: () => Promise<void>): Promise<void> {
    const before = this.#lanes.get(gateway) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => {});
    this.#lanes.set(gateway, settled);
    try {
      await mine;
    } finally {
      if (this.#lanes.get(gateway) === settled) this.#lanes.delete(gateway);
    }
  }
}
