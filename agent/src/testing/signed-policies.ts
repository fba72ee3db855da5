/** A controller's key for tests: what it signs, and who believes it. */
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { policyTyp, type Policy } from '@picket/shared/contract/twin';
import { DesiredVerifier } from '../twin/verify-desired.ts';

const gateway = GatewayId.parse('hall-1');

export interface PolicySigner {
  readonly verifier: DesiredVerifier;
  /** Compact JWS of `policyOf` the same. */
  sign(version: number, more?: Partial<Policy>): Promise<string>;
}

/** Each has a key of its own. */
export async function createPolicySigner(): Promise<PolicySigner> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return {
    verifier: await DesiredVerifier.create([{ ...(await exportJWK(pair.publicKey)), kid: 'key-1' }], gateway),
    sign: (version, more) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(policyOf(version, more))))
        .setProtectedHeader({ alg: 'EdDSA', typ: policyTyp, kid: 'key-1' })
        .sign(pair.privateKey),
  };
}

/** For `hall-1`, without rules, to be confirmed within a second. */
export function policyOf(version: number, more: Partial<Policy> = {}): Policy {
  return {
    audience: gateway,
    version,
    issued_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    mode: 'enforce',
    threshold: null,
    rules: [],
    guard: { admin_prefixes: [], management_ports: [22], never_block: [] },
    report: { benign_sample: 0.01 },
    unmonitored: [],
    confirm_within_seconds: 1,
    ...more,
  };
}
