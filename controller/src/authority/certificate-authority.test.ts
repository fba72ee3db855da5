import 'reflect-metadata';
import { X509Certificate, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterAll, expect, test, vi } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { CertificateAuthority } from './certificate-authority.ts';
import { ServerIdentity } from './server-identity.ts';

vi.setConfig({ testTimeout: 120_000 });

const log = { info: () => {}, error: () => {} };
const gateway = GatewayId.parse('hall-1');

const folders: string[] = [];
afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true })));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'picket-authority-'));
  folders.push(path);
  return path;
}

async function request(
  name = 'CN=somebody else, O=root',
  algorithm: webcrypto.EcKeyGenParams & { hash: string } = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
): Promise<{ csr: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 3, true)],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { csr: csr.toString('pem'), key };
}

test('the authority is made once, for its owner only, and is the same at the next start', async () => {
  const path = folder();
  const first = await CertificateAuthority.open(path);
  const second = await CertificateAuthority.open(path);
  expect(second.fingerprint).toBe(first.fingerprint);
  expect(statSync(join(path, 'ca-private.pem')).mode & 0o777).toBe(0o600);
});

test('two controllers that start on one folder agree on one authority', async () => {
  const path = folder();
  const opened = await Promise.all(Array.from({ length: 5 }, () => CertificateAuthority.open(path)));
  expect(new Set(opened.map((authority) => authority.fingerprint)).size).toBe(1);
});

test('a broken authority file stops the start and says what to do', async () => {
  const path = folder();
  writeFileSync(join(path, 'ca-private.pem'), 'garbage');
  await expect(CertificateAuthority.open(path)).rejects.toThrow(/Restore it from a backup/);
});

test('a gateway gets the name and the powers that we give, not those it asks for', async () => {
  const authority = await CertificateAuthority.open(folder());
  const issued = await authority.issueGateway(gateway, (await request()).csr);
  const certificate = new X509Certificate(issued.certificate);
  expect(certificate.subject).toBe('CN=hall-1');
  expect(certificate.subjectAltName).toBe('URI:urn:picket:gateway:hall-1');
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(certificate.serialNumber.toLowerCase()).toBe(issued.serial);
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  const hours = (certificate.validToDate.getTime() - Date.now()) / 3_600_000;
  expect(hours).toBeGreaterThan(71.9);
  expect(hours).toBeLessThanOrEqual(72);
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now() - 4 * 60_000);
});

test('a request that its key did not sign, a foreign curve and plain garbage are refused', async () => {
  const authority = await CertificateAuthority.open(folder());
  const { csr } = await request();
  const bytes = Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
  const tampered = x509.PemConverter.encode(new Uint8Array(bytes).buffer, 'CERTIFICATE REQUEST');
  const foreign = await request('CN=a', { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' });
  for (const bad of [
    tampered,
    foreign.csr,
    'garbage',
    '',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
  ])
    await expect(authority.issueGateway(gateway, bad)).rejects.toThrow(/csr: not a usable PKCS#10 request/);
});

test('server and gateway know each other over TLS 1.3, and a server certificate is no gateway', async () => {
  const path = folder();
  const authority = await CertificateAuthority.open(path);
  using identity = await ServerIdentity.open({
    folder: path,
    authority,
    publicHosts: ['ctl.example', '192.0.2.7'],
    log,
  });
  const { csr, key } = await request();
  const issued = await authority.issueGateway(gateway, csr);
  const served: string[] = [];
  const server = createServer(
    {
      key: identity.server.key,
      cert: identity.server.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    (socket) => {
      const name = String(socket.getPeerCertificate().subject.CN);
      served.push(name);
      socket.end(name);
    },
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = (options: { cert?: string; key?: string; servername?: string }): TLSSocket =>
    connect({ port, host: '127.0.0.1', ca: authority.certificate, servername: 'ctl.example', ...options });
  const talk = async (socket: TLSSocket): Promise<string> => {
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  expect(await talk(open({ cert: issued.certificate, key }))).toBe('hall-1');
  // Whether a refused client sees the alert or only the end depends on timing; what counts is that it was not served.
  await talk(open({ cert: identity.server.certificate, key: identity.server.key })).catch(String);
  await expect(talk(open({ cert: issued.certificate, key, servername: 'other.example' }))).rejects.toThrow(
    /does not match/,
  );
  await talk(open({})).catch(String);
  expect(new Set(served)).toEqual(new Set(['hall-1']));
  server.close();
});

test('the server certificate is kept while it is young, and made anew when a name is added', async () => {
  const path = folder();
  const authority = await CertificateAuthority.open(path);
  const open = async (publicHosts: string[]): Promise<string> => {
    using identity = await ServerIdentity.open({ folder: path, authority, publicHosts, log });
    return identity.server.certificate;
  };
  const first = await open(['ctl.example', '2001:db8::7']);
  expect(await open(['ctl.example', '2001:db8::7'])).toBe(first);
  const second = await open(['ctl.example', '2001:db8::8']);
  expect(second).not.toBe(first);
  expect(new X509Certificate(second).checkIP('2001:db8::8')).toBe('2001:db8::8');
});
