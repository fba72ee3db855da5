import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BundleSignature } from '@picket/shared/contract/model-manifest';
import { expect, onTestFinished, test } from 'vitest';
import { signBundle } from './sign-bundle.ts';

const bundles = fileURLToPath(new URL('../bundles/', import.meta.url));

function copyOfBundle(): string {
  const folder = mkdtempSync(join(tmpdir(), 'picket-sign-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(bundles, readdirSync(bundles).at(-1)!), folder, { recursive: true });
  return folder;
}

test('a signature fits the manifest and the key that was told', () => {
  const folder = copyOfBundle();
  const { privateKey } = generateKeyPairSync('ed25519');
  const x = signBundle(folder, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string);
  const [header, payload, signature] = readFileSync(join(folder, 'signature.jws'), 'utf8').trim().split('.');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  expect(verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature!, 'base64url'))).toBe(true);
  expect(BundleSignature.parse(JSON.parse(Buffer.from(payload!, 'base64url').toString('utf8')))).toMatchObject({
    version: expect.stringMatching(/./),
  });
});

test('another kind of key is refused', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(() => signBundle(copyOfBundle(), privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)).toThrow(
    /P-256, not Ed25519/,
  );
});
