/**
 * Who this gateway is: key, certificate and whom it trusts, in one file of the state folder, so that a crash never
 * leaves a key beside somebody else's certificate.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { AgentError } from '../errors.ts';

const Door = z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) });

export const GatewayIdentity = z.strictObject({
  gateway_id: GatewayId,
  /** PKCS#8, PEM. Made on this gateway; it never leaves it. */
  private_key: z.string(),
  /** Client certificate, PEM. */
  certificate: z.string(),
  /** The controller's CA, PEM: the only one this agent believes. */
  ca: z.string(),
  /** Keys that may sign policy and decisions: JWK with `kid`. */
  signing_keys: z.array(z.looseObject({ kid: z.string() })).min(1),
  /** Keys that may sign model bundles, likewise; none where the controller did not tell one. */
  bundle_keys: z.array(z.looseObject({ kid: z.string() })).default([]),
  mqtt: Door,
  https: Door,
});
export type GatewayIdentity = z.infer<typeof GatewayIdentity>;

export function identityPath(stateDir: string): string {
  return join(stateDir, 'identity.json');
}

/** Undefined where the gateway is not enrolled. Throws an AgentError for a file that cannot be read or understood. */
export function loadIdentity(stateDir: string): GatewayIdentity | undefined {
  const path = identityPath(stateDir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AgentError('no-permission', `cannot read the identity ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    const identity = GatewayIdentity.parse(JSON.parse(text));
    checkPair(identity);
    return identity;
  } catch (error) {
    throw new AgentError(
      'bad-data',
      `the identity ${path} is damaged: enrol again with \`picket-agent enroll --replace --token …\``,
      { cause: error },
    );
  }
}

/** Writes the whole file or nothing of it; mode 0600 in a folder of 0700. Throws an AgentError. */
export function saveIdentity(stateDir: string, identity: GatewayIdentity): void {
  const path = identityPath(stateDir);
  checkPair(identity);
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const temporary = `${path}.new`;
    const file = openSync(temporary, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify(identity, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    const folder = openSync(stateDir, 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new AgentError(
      'cannot-create',
      `cannot write the identity ${path}: ${(error as Error).message}; run as the agent's user or give another --state-dir`,
      { cause: error },
    );
  }
}

/** When the certificate began and ends, epoch milliseconds. */
export function certificateLife(identity: GatewayIdentity): { readonly fromMs: number; readonly toMs: number } {
  const certificate = new X509Certificate(identity.certificate);
  return { fromMs: certificate.validFromDate.getTime(), toMs: certificate.validToDate.getTime() };
}

/** Throws where key, certificate, name and CA do not belong together. */
function checkPair(identity: GatewayIdentity): void {
  const certificate = new X509Certificate(identity.certificate);
  const key = createPrivateKey(identity.private_key);
  if (!certificate.checkPrivateKey(key)) throw new Error('the certificate is for another key');
  if (!certificate.verify(new X509Certificate(identity.ca).publicKey))
    throw new Error('the CA did not sign the certificate');
  if (certificate.subject !== `CN=${identity.gateway_id}`) throw new Error('the certificate is for another gateway');
}
