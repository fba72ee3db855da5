/**
 * Is this what our controller wants of us, now? Checked in the order in which a lie is cheapest to refuse: size, header,
 * pinned key, signature, schema, audience, expiry. Whether the version is newer is for `reported-state.ts` to say.
 */
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { z } from 'zod';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { DecisionsMessage, Policy, decisionsTyp, policyTyp } from '@picket/shared/contract/twin';

export type Verified<T> =
  | { readonly ok: true; readonly document: T; /** Which pinned key signed it. */ readonly kid: string }
  | { readonly ok: false; readonly reason: string };

type PublicKey = Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>;

interface Expectation<T> {
  readonly typ: string;
  readonly schema: z.ZodType<T & { audience: GatewayId; expires_at: string }>;
  readonly maxBytes: number;
}

const policyExpectation: Expectation<Policy> = { typ: policyTyp, schema: Policy, maxBytes: 512 * 1024 };
const decisionsExpectation: Expectation<DecisionsMessage> = {
  typ: decisionsTyp,
  schema: DecisionsMessage,
  maxBytes: 32 * 1024 * 1024,
};
/** Gateways without a battery-backed clock are often a little off. */
const clockSkewMs = 5 * 60_000;

export class DesiredVerifier {
  readonly #keys: ReadonlyMap<string, PublicKey>;
  readonly #audience: GatewayId;

  private constructor(keys: ReadonlyMap<string, PublicKey>, audience: GatewayId) {
    this.#keys = keys;
    this.#audience = audience;
  }

  /** `signingKeys`: the keys pinned at enrolment, JWK with `kid`. Throws where one is no Ed25519 public key. */
  static async create(signingKeys: readonly JWK[], audience: GatewayId): Promise<DesiredVerifier> {
    const keys = new Map<string, PublicKey>();
    for (const jwk of signingKeys) {
      const key = await importJWK(jwk, 'EdDSA');
      if (key instanceof Uint8Array || jwk.crv !== 'Ed25519' || jwk.kid === undefined)
        throw new Error('a pinned signing key is not an Ed25519 key with a kid');
      keys.set(jwk.kid, key);
    }
    return new DesiredVerifier(keys, audience);
  }

  async policy(jws: string, nowMs: number): Promise<Verified<Policy>> {
    return this.#verify(jws, policyExpectation, nowMs);
  }

  async decisions(jws: string, nowMs: number): Promise<Verified<DecisionsMessage>> {
    return this.#verify(jws, decisionsExpectation, nowMs);
  }

  /** Never rejects: hostile text is expected here. */
  async #verify<T>(jws: string, expected: Expectation<T>, nowMs: number): Promise<Verified<T>> {
    if (jws.length > expected.maxBytes) return refused(`it is larger than ${expected.maxBytes} bytes`);
    const header = readHeader(jws);
    if (header === undefined) return refused('it is not a compact JWS');
    if (header.typ !== expected.typ)
      return refused(`its type is ${String(header.typ).slice(0, 60)}, not ${expected.typ}`);
    const key = this.#keys.get(header.kid ?? '');
    if (key === undefined || header.kid === undefined)
      return refused('it is signed with a key that this gateway does not know');
    let payload: Uint8Array;
    try {
      ({ payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] }));
    } catch {
      return refused('its signature does not fit');
    }
    const parsed = expected.schema.safeParse(parseJson(payload));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refused(
        `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}; is the controller newer than this agent?`,
      );
    }
    if (parsed.data.audience !== this.#audience) return refused(`it is for the gateway ${parsed.data.audience}`);
    if (Date.parse(parsed.data.expires_at) + clockSkewMs < nowMs)
      return refused(`it expired at ${parsed.data.expires_at}; is the clock of this gateway right?`);
    return { ok: true, document: parsed.data, kid: header.kid };
  }
}

function refused(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

function readHeader(jws: string): { readonly typ?: string; readonly kid?: string } | undefined {
  try {
    return decodeProtectedHeader(jws);
  } catch {
    return undefined;
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
