/**
 * Who may vouch for a model bundle: the agent itself for the one it ships with (by hash), the controller's bundle key as
 * learned at enrolment, and whoever the gateway's owner named by `--trust`. Plain values, fit to cross to another thread.
 */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BundleSignature, bundleTyp } from '@picket/shared/contract/model-manifest';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { AgentError } from '../errors.ts';
import { BundleError } from './bundle-error.ts';
import { shippedManifestSha256 } from './shipped-bundle.ts';

export interface BundleTrust {
  /** SHA-256 of manifests that need no further proof. */
  readonly manifests: readonly string[];
  /** Public halves, Ed25519. */
  readonly keys: readonly TrustedKey[];
}

export interface TrustedKey {
  /** RFC 7638 thumbprint: the same key has the same name wherever it comes from. */
  readonly kid: string;
  /** Base64url, 32 bytes. */
  readonly x: string;
}

/** The bundle that this agent ships with, and nothing else. */
export const shippedOnly: BundleTrust = { manifests: [shippedManifestSha256], keys: [] };

/** `named`: what `--trust` and the configuration say; `learned`: JWKs of the controller. Throws an AgentError. */
export async function readBundleTrust(named: readonly string[], learned: readonly JWK[] = []): Promise<BundleTrust> {
  const keys = [...(await Promise.all(named.map(readNamedKey))), ...(await Promise.all(learned.map(toTrustedKey)))];
  return { ...shippedOnly, keys };
}

/**
 * Who signed this manifest. Throws BundleError where nobody trusted did, or where the signature is for another bundle:
 * one that was signed once says nothing for any other bytes.
 */
export async function checkSignature(
  jws: string,
  manifest: { readonly version: string; readonly sha256: string },
  trust: BundleTrust,
): Promise<TrustedKey> {
  const header = readHeader(jws);
  if (header === undefined) throw new BundleError('bad-signature', 'signature.jws is not a compact JWS');
  if (header.typ !== bundleTyp)
    throw new BundleError('bad-signature', `signature.jws has the type ${quoted(header.typ)}, not ${bundleTyp}`);
  const key = trust.keys.find(({ kid }) => kid === header.kid);
  if (key === undefined) {
    throw new BundleError(
      'untrusted',
      `signature.jws of ${manifest.version} is made with the key ${quoted(header.kid)}, which this gateway does not trust; ` +
        'it trusts the bundle key of its controller and the keys given by --trust or model.trust',
    );
  }
  let payload: Uint8Array;
  try {
    const imported = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.x }, 'EdDSA');
    ({ payload } = await compactVerify(jws, imported, { algorithms: ['EdDSA'] }));
  } catch (error) {
    throw new BundleError('bad-signature', 'signature.jws: the signature does not fit', { cause: error });
  }
  const signed = BundleSignature.safeParse(parseJson(payload));
  if (!signed.success) throw new BundleError('bad-signature', 'signature.jws: its payload is not what signs a bundle');
  if (signed.data.manifest_sha256 !== manifest.sha256 || signed.data.version !== manifest.version) {
    throw new BundleError(
      'bad-signature',
      `signature.jws is for ${signed.data.version} with the manifest ${signed.data.manifest_sha256}, ` +
        `but manifest.json is ${manifest.version} with ${manifest.sha256}`,
    );
  }
  return key;
}

/** 43 characters of base64url (the raw key), or a file with a public key: PEM or JWK. */
async function readNamedKey(named: string): Promise<TrustedKey> {
  if (/^[A-Za-z0-9_-]{43}$/.test(named)) return toTrustedKey({ kty: 'OKP', crv: 'Ed25519', x: named });
  let text: string;
  try {
    text = readFileSync(named, 'utf8');
  } catch (error) {
    throw new AgentError(
      'no-input',
      `cannot read the trusted key ${named}: ${(error as Error).message}; give a file, or the 43 characters of the key itself`,
      { cause: error },
    );
  }
  try {
    const jwk = text.trimStart().startsWith('{')
      ? (JSON.parse(text) as JWK)
      : (createPublicKey(text).export({ format: 'jwk' }) as JWK);
    return await toTrustedKey(jwk);
  } catch (error) {
    throw new AgentError('bad-data', `${named} holds no Ed25519 public key (PEM or JWK): ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function toTrustedKey(jwk: JWK): Promise<TrustedKey> {
  const { kty, crv, x } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined || !/^[A-Za-z0-9_-]{43}$/.test(x))
    throw new AgentError('bad-data', 'a key that may sign model bundles is not an Ed25519 public key');
  return { kid: await calculateJwkThumbprint({ kty, crv, x }), x };
}

function readHeader(jws: string): { readonly typ?: string; readonly kid?: string } | undefined {
  try {
    return decodeProtectedHeader(jws);
  } catch {
    return undefined;
  }
}

function quoted(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 60));
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
