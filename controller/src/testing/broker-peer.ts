/** A peer of a broker for tests: any certificate, any client id, any will; it says how the broker took it. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { MqttClient } from 'mqtt';
import type { IClientOptions } from 'mqtt';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { CertificateAuthority, KeyAndCertificate } from '../authority/certificate-authority.ts';

export interface GatewayCredentials extends KeyAndCertificate {
  readonly serial: string;
}

/** A gateway's key and certificate, as enrolment would give it. */
export async function gatewayCredentials(
  authority: CertificateAuthority,
  gateway: GatewayId,
): Promise<GatewayCredentials> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=x', keys, signingAlgorithm: algorithm });
  const { certificate, serial } = await authority.issueGateway(gateway, csr.toString('pem'));
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { key, certificate, serial };
}

export class BrokerPeer implements AsyncDisposable {
  readonly client: MqttClient;
  readonly heard: { readonly topic: string; readonly text: string; readonly retain: boolean }[] = [];
  /** Resolves with the reason when the connection is over. */
  readonly ended: Promise<string>;

  private constructor(client: MqttClient) {
    this.client = client;
    let reason = 'closed';
    client.on('error', (error) => {
      reason = error.message;
    });
    client.on('message', (topic, payload, packet) => {
      this.heard.push({ topic, text: payload.toString('utf8'), retain: packet.retain });
    });
    this.ended = new Promise((resolve) => {
      client.on('close', () => resolve(reason));
    });
  }

  static open(
    address: { readonly port: number; readonly ca: string },
    credentials: KeyAndCertificate | undefined,
    options: Partial<IClientOptions>,
  ): BrokerPeer {
    const client = new MqttClient(() => openSocket(address, credentials), {
      protocolVersion: 4,
      clean: true,
      keepalive: 30,
      reconnectPeriod: 0,
      manualConnect: true,
      ...options,
    });
    const peer = new BrokerPeer(client);
    client.connect();
    return peer;
  }

  /** `connected`, or why not. */
  async outcome(): Promise<string> {
    const connected = new Promise<string>((resolve) => {
      this.client.on('connect', () => resolve('connected'));
      if (this.client.connected) resolve('connected');
    });
    return Promise.race([connected, this.ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true).catch(() => {});
  }
}

/** TLS only, for packets that no client library would send. */
export function openSocket(
  address: { readonly port: number; readonly ca: string },
  credentials: KeyAndCertificate | undefined,
): TLSSocket {
  return connectTls({
    host: '127.0.0.1',
    port: address.port,
    ca: address.ca,
    ...(credentials === undefined ? {} : { key: credentials.key, cert: credentials.certificate }),
  });
}
