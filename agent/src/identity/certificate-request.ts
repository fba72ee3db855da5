/** A new key of this gateway and the request (PKCS#10) that shows its public half to the controller. */
import 'reflect-metadata'; // @peculiar/x509 needs it before it loads
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { GatewayId } from '@picket/shared/contract/identifiers';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface CertificateRequest {
  /** PKCS#8, PEM. */
  readonly privateKey: string;
  /** PEM. */
  readonly csr: string;
}

export async function createCertificateRequest(gateway: GatewayId): Promise<CertificateRequest> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${gateway}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const privateKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { privateKey: `${x509.PemConverter.encode(privateKey, 'PRIVATE KEY')}\n`, csr: csr.toString('pem') };
}
