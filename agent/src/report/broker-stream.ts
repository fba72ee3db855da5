/** The way to the broker: TLS 1.3 with the certificate that the controller gave this gateway. */
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { GatewayIdentity } from '../identity/gateway-identity.ts';

/** Begins to connect; owned by the caller. */
export function openBrokerStream(identity: GatewayIdentity): TLSSocket {
  const { host, port } = identity.mqtt;
  const socket = connectTls({
    host,
    port,
    ca: identity.ca,
    cert: identity.certificate,
    key: identity.private_key,
    minVersion: 'TLSv1.3',
    servername: isIP(host) === 0 ? host : '',
  });
  socket.setNoDelay(true);
  return socket;
}
