/**
 * A key that signs for gateways: Ed25519, made once in the data folder, its public half given at enrolment. There are two:
 * one for policy and decisions, one for model bundles, so that neither can be used for the other.
 */
import { join } from 'node:path';
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { JWK } from 'jose';
import { StartFailure, exitCodes } from '../errors.ts';
import { createPrivateFile, readIfPresent } from './private-file.ts';

type PrivateKey = Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>;

export class SigningKey {
  /** Public half with `kid`, as agents pin it. */
  readonly publicJwk: JWK;
  readonly #kid: string;
  readonly #key: PrivateKey;

  private constructor(key: PrivateKey, kid: string, publicJwk: JWK) {
    this.#key = key;
    this.#kid = kid;
    this.publicJwk = publicJwk;
  }

  /** Opens the key in `folder`, making it the first time. Throws `StartFailure` when its file cannot be used. */
  static async open(folder: string, name: 'signing-key.json' | 'bundle-key.json'): Promise<SigningKey> {
    const path = join(folder, name);
    try {
      const text = readIfPresent(path) ?? createPrivateFile(path, await createKey());
      const jwk = JSON.parse(text) as JWK;
      const key = await importJWK(jwk, 'EdDSA');
      if (key instanceof Uint8Array || jwk.crv !== 'Ed25519') throw new Error('it holds no Ed25519 key');
      const { kty, crv, x } = jwk;
      const kid = await calculateJwkThumbprint(jwk);
      return new SigningKey(key, kid, { kty, crv, x, kid, use: 'sig', alg: 'EdDSA' } as JWK);
    } catch (error) {
      throw new StartFailure(
        `cannot use the signing key ${path}: ${(error as Error).message}. Restore it from a backup; gateways accept no other`,
        exitCodes.data,
        { cause: error },
      );
    }
  }

  /** Compact JWS of `document` as JSON, with this `typ`. */
  async sign(typ: string, document: object): Promise<string> {
    return new CompactSign(new TextEncoder().encode(JSON.stringify(document)))
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: this.#kid })
      .sign(this.#key);
  }
}

async function createKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}
