/**
 * A gateway as its twin sees it, for tests: a controller's key that signs for it, a memory on disk that outlives restarts,
 * and targets that remember what they were asked and fail when told to.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Decision } from '@picket/shared/contract/decision';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { decisionsTyp, type Policy, policyTyp, type Reported } from '@picket/shared/contract/twin';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import { DesiredState, type DesiredTargets } from '../twin/apply-desired.ts';
import { ReportedState } from '../twin/reported-state.ts';
import { DesiredVerifier } from '../twin/verify-desired.ts';
import { MemoryLink } from './memory-link.ts';
import { policyOf } from './signed-policies.ts';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

interface RunningTwin extends AsyncDisposable {
  readonly desired: DesiredState;
  readonly reported: Reported;
}

const gateway = GatewayId.parse('hall-1');
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export const newKeyPair = (): Promise<KeyPair> => generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });

export class TwinGateway implements Disposable {
  readonly #pair: KeyPair;
  readonly #folder = mkdtempSync(join(tmpdir(), 'picket-twin-'));
  /** Of the controller, as enrolment brought it. */
  readonly publicJwk: JWK;
  readonly link = new MemoryLink();
  /** Applied, in this order. */
  readonly policies: Policy[] = [];
  readonly held = new Map<string, Decision>();
  readonly lifted: string[] = [];
  readonly unblocks: string[] = [];
  readonly proofs: UnblockProof[] = [];
  /** What applying a policy comes to, while it is set. */
  failure: Error | undefined;
  /** Decisions that the kernel does not hold. */
  missing: ReadonlySet<string> = new Set();
  unblockOutcome: UnblockProof['outcome'] = 'released';

  private constructor(pair: KeyPair, publicJwk: JWK) {
    this.#pair = pair;
    this.publicJwk = publicJwk;
    this.link.connected = true;
  }

  static async create(): Promise<TwinGateway> {
    const pair = await newKeyPair();
    return new TwinGateway(pair, { ...(await exportJWK(pair.publicKey)), kid: 'key-1' });
  }

  /** A second one is a restart. */
  async start(keys: readonly JWK[] = [this.publicJwk]): Promise<RunningTwin> {
    const state = ReportedState.open(join(this.#folder, 'twin.sqlite'), quiet);
    const desired = await DesiredState.open({
      verifier: await DesiredVerifier.create(keys, gateway),
      state,
      targets: this.#targets(),
      fetchSnapshot: () => this.link.fetchDecisions(),
      proveReachable: async () => {},
      sendReported: (reported) => this.link.sendReported(reported),
      log: quiet,
      retryMs: 5,
    });
    return {
      desired,
      get reported() {
        return desired.reported;
      },
      [Symbol.asyncDispose]: async () => {
        await desired[Symbol.asyncDispose]();
        state[Symbol.dispose]();
      },
    };
  }

  /** Compact JWS of any document, by the controller's key unless told otherwise. */
  sign(typ: string, document: object, more: { kid?: string; key?: KeyPair } = {}): Promise<string> {
    return new CompactSign(new TextEncoder().encode(JSON.stringify(document)))
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: more.kid ?? 'key-1' })
      .sign((more.key ?? this.#pair).privateKey);
  }

  /** Signed, as `unconfirmedPolicy` has it. */
  policy(version: number, more: Partial<Policy> = {}): Promise<string> {
    return this.sign(policyTyp, unconfirmedPolicy(version, more));
  }

  /** A document about decisions for this gateway, issued now. */
  aboutDecisions(document: object): Promise<string> {
    const now = Date.now();
    return this.sign(decisionsTyp, {
      audience: gateway,
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + 3_600_000).toISOString(),
      ...document,
    });
  }

  /** These changes, each one version. */
  delta(from: number, changes: readonly object[]): Promise<string> {
    return this.aboutDecisions({ type: 'delta', from_version: from, version: from + changes.length, changes });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #targets(): DesiredTargets {
    return {
      applyPolicy: async (policy) => {
        if (this.failure !== undefined) throw this.failure;
        this.policies.push(policy);
      },
      applyOwnSettings: async () => {},
      verifyPolicy: async () => undefined,
      addDecisions: async (decisions) =>
        decisions.map((decision) => {
          this.held.set(decision.id, decision);
          return { decision, state: 'verified', at: new Date().toISOString(), detail: null };
        }),
      removeDecisions: async (ids) => {
        this.lifted.push(...ids);
        for (const id of ids) this.held.delete(id);
      },
      missingDecisions: () => this.missing,
      unblock: async (order) => {
        this.unblocks.push(order.value);
        return {
          unblock_id: order.id,
          at: new Date().toISOString(),
          outcome: this.unblockOutcome,
          removed: [],
          removed_count: 1,
          still_held: [],
          detail: null,
        };
      },
      proveUnblock: (proof) => this.proofs.push(proof),
      facts: () => ({ mode: 'simulate', model_version: 'm1', threshold: 0.5, in_force: this.held.size }),
    };
  }
}

/** Of a controller that asks for no confirmation. */
export function unconfirmedPolicy(version: number, more: Partial<Policy> = {}): Policy {
  return policyOf(version, { confirm_within_seconds: undefined, ...more });
}
