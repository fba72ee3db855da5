/** Short-lived access tokens: JWT signed with an Ed25519 key that was made once and stays in the data folder. */
import { join } from 'node:path';
import {
  SignJWT,
  calculateJwkThumbprint,
  createLocalJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  type JWK,
} from 'jose';
import { z } from 'zod';
import { newId } from '@picket/shared/contract/identifiers';
import { createPrivateFile, readIfPresent } from '../authority/private-file.ts';
import { StartFailure, Unauthorized, exitCodes } from '../errors.ts';

const algorithm = 'EdDSA';
const tokenType = 'at+jwt';
const issuer = 'picket-controller';
const audience = 'picket-api';

const Claims = z.object({ sub: z.uuid(), sid: z.uuid(), jti: z.uuid(), exp: z.int() });

export interface AccessToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;
type PrivateKey = Awaited<ReturnType<typeof importJWK>>;

export class AccessTokens {
  /** Seconds a token is good for. */
  readonly lifetimeSeconds: number;
  readonly #key: PrivateKey;
  readonly #kid: string;
  readonly #keys: KeySet;

  private constructor(key: PrivateKey, kid: string, keys: KeySet, lifetimeSeconds: number) {
    this.#key = key;
    this.#kid = kid;
    this.#keys = keys;
    this.lifetimeSeconds = lifetimeSeconds;
  }

  /** Throws `StartFailure` where the key file in `folder` cannot be used. */
  static async open(folder: string, lifetimeMinutes: number): Promise<AccessTokens> {
    const path = join(folder, 'access-token-key.json');
    try {
      const jwk = JSON.parse(readIfPresent(path) ?? createPrivateFile(path, await createKey())) as JWK;
      const kid = await calculateJwkThumbprint(jwk);
      const { kty, crv, x } = jwk;
      const publicKey = { kty, crv, x, kid, alg: algorithm, use: 'sig' } as JWK;
      return new AccessTokens(
        await importJWK(jwk, algorithm),
        kid,
        createLocalJWKSet({ keys: [publicKey] }),
        lifetimeMinutes * 60,
      );
    } catch (error) {
      throw new StartFailure(
        `cannot use ${path}: ${(error as Error).message}. Remove the file to have a new one made; everybody then logs in again`,
        exitCodes.data,
        { cause: error },
      );
    }
  }

  async sign(userId: string, sessionId: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: this.#kid })
      .setSubject(userId)
      .setJti(newId())
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + this.lifetimeSeconds)
      .sign(this.#key);
  }

  /** Throws `Unauthorized` for any token that is not ours, not an access token, or over. */
  async verify(token: string): Promise<AccessToken> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: ['sub', 'sid', 'jti', 'exp', 'iat'],
      });
      const claims = Claims.parse(payload);
      return { userId: claims.sub, sessionId: claims.sid, tokenId: claims.jti, expiresAt: claims.exp * 1000 };
    } catch (error) {
      if (!(error instanceof errors.JOSEError) && !(error instanceof z.ZodError)) throw error;
      throw new Unauthorized('the access token is not valid or is over; refresh it or log in', { cause: error });
    }
  }
}

async function createKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(algorithm, { crv: 'Ed25519', extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}
