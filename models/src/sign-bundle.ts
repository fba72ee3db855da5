/**
 * Vouches for a bundle with a key of one's own: `signature.jws` beside the manifest, for gateways that trust the key by
 * `--trust`. A controller signs what is uploaded to it by itself.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelManifest, bundleTyp, type BundleSignature } from '@picket/shared/contract/model-manifest';

/** `key`: PKCS#8 PEM of an Ed25519 key, as `openssl genpkey -algorithm ed25519` makes it. Returns its public half, for `--trust`. */
export function signBundle(folder: string, key: string): string {
  const bytes = readFileSync(join(folder, 'manifest.json'));
  const { version } = ModelManifest.parse(JSON.parse(bytes.toString('utf8')));
  const privateKey = createPrivateKey(key);
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new Error(`the key is ${String(crv ?? kty)}, not Ed25519`);
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url'); // RFC 7638
  const payload: BundleSignature = {
    version,
    manifest_sha256: createHash('sha256').update(bytes).digest('hex'),
    signed_at: new Date().toISOString(),
  };
  const text = `${part({ alg: 'EdDSA', typ: bundleTyp, kid })}.${part(payload)}`;
  writeFileSync(
    join(folder, 'signature.jws'),
    `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}\n`,
  );
  return x;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
