/** Who is at the other end of a TLS connection, by the certificate that our own authority signed. */
import type { TLSSocket } from 'node:tls';
import { GatewayId } from '@picket/shared/contract/identifiers';

/** Name of the controller's own certificate. No gateway can have it, for their names hold no underscore. */
export const controllerCommonName = '_controller';

export type PeerIdentity =
  | { readonly kind: 'controller' }
  | {
      readonly kind: 'gateway';
      readonly id: GatewayId;
      /** Of its certificate: hex, lower case. */
      readonly serial: string;
      /** End of its certificate. */
      readonly notAfter: Date;
    };

/** The URI that a gateway's certificate carries beside its name. */
export function gatewayUri(gateway: GatewayId): string {
  return `urn:picket:gateway:${gateway}`;
}

/** Undefined without a certificate, with one that TLS did not accept, and with one whose names do not agree. */
export function identifyPeer(socket: TLSSocket): PeerIdentity | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate();
  const name: unknown = certificate.subject?.CN; // an array where a certificate has several
  if (name === controllerCommonName && certificate.subjectaltname === 'URI:urn:picket:controller')
    return { kind: 'controller' };
  const gateway = GatewayId.safeParse(name);
  if (!gateway.success || certificate.subjectaltname !== `URI:${gatewayUri(gateway.data)}`) return undefined;
  return {
    kind: 'gateway',
    id: gateway.data,
    serial: certificate.serialNumber.toLowerCase(),
    notAfter: new Date(certificate.valid_to),
  };
}
