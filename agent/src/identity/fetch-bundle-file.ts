/** One file of a model bundle from the controller's door, by the hash of the bundle's manifest. */
import type { GatewayIdentity } from './gateway-identity.ts';
import { askDoor } from './door-client.ts';

const timeoutMs = 120_000;

/** Rejects with what the controller said, or the network; an answer beyond `maxBytes` is cut off and rejects. */
export async function fetchBundleFile(
  identity: GatewayIdentity,
  manifestSha256: string,
  name: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const answer = await askDoor({
    ...identity.https,
    method: 'GET',
    path: `/api/v1/agent/bundles/${manifestSha256}/${name}`,
    ca: identity.ca,
    client: { certificate: identity.certificate, key: identity.private_key },
    maxBytes,
    timeoutMs,
    signal,
  });
  if (answer.status !== 200)
    throw new Error(`the controller answered ${answer.status} for ${name}: ${answer.body.slice(0, 300)}`);
  return answer.bytes;
}
