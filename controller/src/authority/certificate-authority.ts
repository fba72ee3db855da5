/**
 * The controller's own certificate authority: ECDSA P-256, one key pair, made once in the data folder. It vouches for the
 * agents' door, the broker, the controller's own broker connection, and every gateway. Nothing outside decides a name, a
 * validity or a usage: a certificate request contributes its public key and nothing else.
 */
import 'reflect-metadata'; // @peculiar/x509 needs it before it loads
import { X509Certificate as NodeCertificate, createHash, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { InvalidInput, StartFailure, exitCodes } from '../errors.ts';
import { controllerCommonName, gatewayUri } from '../broker/peer-identity.ts';
import { createPrivateFile, readIfPresent, writePrivateFile } from './private-file.ts';

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hour = 3_600_000;
const caYears = 10;
/** Short, so that a forgotten revocation ends by itself. */
export const gatewayCertificateHours = 72;
const serverCertificateDays = 90;
const clockSkewMs = 5 * 60_000;

/** PEM texts. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Hex, lower case. */
  readonly serial: string;
  readonly notAfter: Date;
}

export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate (DER), lower-case hex: what enrolment tokens pin. */
  readonly fingerprint: string;
  readonly #issuer: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(issuer: x509.X509Certificate, key: webcrypto.CryptoKey) {
    this.#issuer = issuer;
    this.#key = key;
    this.certificate = issuer.toString('pem');
    this.fingerprint = createHash('sha256').update(new Uint8Array(issuer.rawData)).digest('hex');
  }

  /** Opens the authority in `folder` (`ca-private.pem`), making it the first time. Throws `StartFailure` when its file cannot be used. */
  static async open(folder: string): Promise<CertificateAuthority> {
    const path = join(folder, 'ca-private.pem');
    try {
      const text = readIfPresent(path) ?? createPrivateFile(path, await createAuthority());
      const authority = await CertificateAuthority.#parse(text);
      writePrivateFile(join(folder, 'ca.crt'), authority.certificate); // without the key: for brokers other than ours
      return authority;
    } catch (error) {
      throw new StartFailure(
        `cannot use the certificate authority ${path}: ${(error as Error).message}. Restore it from a backup; a new one would lock out every enrolled gateway`,
        exitCodes.data,
        { cause: error },
      );
    }
  }

  static async #parse(text: string): Promise<CertificateAuthority> {
    const [certificate, key] = [pemBlock(text, 'CERTIFICATE'), pemBlock(text, 'PRIVATE KEY')];
    const issuer = new x509.X509Certificate(certificate);
    const privateKey = await webcrypto.subtle.importKey('pkcs8', der(key), keyAlgorithm, false, ['sign']);
    if (!new NodeCertificate(certificate).ca) throw new Error('it holds no CA certificate');
    return new CertificateAuthority(issuer, privateKey);
  }

  /** A key and a certificate for TLS servers under these host names and addresses. */
  async issueServer(names: readonly string[]): Promise<KeyAndCertificate> {
    const pair = await generateKeyPair();
    const issued = await this.#issue({
      subject: 'picket-controller',
      publicKey: pair.publicKey,
      lifetimeMs: serverCertificateDays * 24 * hour,
      usage: x509.ExtendedKeyUsage.serverAuth,
      alternativeNames: names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
    });
    return { key: await exportKey(pair.privateKey), certificate: issued.certificate };
  }

  /** A key and a certificate for the controller's own connection to the broker. */
  async issueController(): Promise<KeyAndCertificate> {
    const pair = await generateKeyPair();
    const issued = await this.#issue({
      subject: controllerCommonName,
      publicKey: pair.publicKey,
      lifetimeMs: serverCertificateDays * 24 * hour,
      usage: x509.ExtendedKeyUsage.clientAuth,
      alternativeNames: [{ type: 'url', value: 'urn:picket:controller' }],
    });
    return { key: await exportKey(pair.privateKey), certificate: issued.certificate };
  }

  /** A client certificate for a gateway. Throws `InvalidInput` when `csr` (PEM) is no request signed by its own key. */
  async issueGateway(gateway: GatewayId, csr: string): Promise<IssuedCertificate> {
    return this.#issue({
      subject: gateway,
      publicKey: await publicKeyOf(csr),
      lifetimeMs: gatewayCertificateHours * hour,
      usage: x509.ExtendedKeyUsage.clientAuth,
      alternativeNames: [{ type: 'url', value: gatewayUri(gateway) }],
    });
  }

  /** Certificate revocation list (PEM) for brokers other than ours, valid for a year. */
  async revocationList(serials: readonly { serial: string; revokedAt: Date }[]): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#issuer.subject,
      thisUpdate: new Date(Date.now() - clockSkewMs),
      nextUpdate: new Date(Date.now() + 365 * 24 * hour),
      entries: serials.map(({ serial, revokedAt }) => ({ serialNumber: serial, revocationDate: revokedAt })),
      signingAlgorithm: keyAlgorithm,
      signingKey: this.#key,
    });
    return x509.PemConverter.encode(list.rawData, 'X509 CRL'); // OpenSSL knows no other label
  }

  async #issue(request: {
    subject: string;
    publicKey: webcrypto.CryptoKey;
    lifetimeMs: number;
    usage: x509.ExtendedKeyUsage;
    alternativeNames: readonly x509.JsonGeneralName[];
  }): Promise<IssuedCertificate> {
    const serial = newSerial();
    const notAfter = new Date(Math.floor((Date.now() + request.lifetimeMs) / 1000) * 1000);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: `CN=${request.subject}`,
      issuer: this.#issuer.subject,
      notBefore: new Date(Date.now() - clockSkewMs),
      notAfter,
      publicKey: request.publicKey,
      signingKey: this.#key,
      signingAlgorithm: keyAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([request.usage], true),
        new x509.SubjectAlternativeNameExtension([...request.alternativeNames]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer),
      ],
    });
    return { certificate: certificate.toString('pem'), serial, notAfter };
  }
}

async function createAuthority(): Promise<string> {
  const pair = await generateKeyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Picket CA ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(Date.now() - clockSkewMs),
    notAfter: new Date(Date.now() + caYears * 365 * 24 * hour),
    keys: pair,
    signingAlgorithm: keyAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(pair.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n${await exportKey(pair.privateKey)}`;
}

async function generateKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** Proof of possession: the request is signed by the key it carries. P-256 only, so that no weak key gets in. */
async function publicKeyOf(csr: string): Promise<webcrypto.CryptoKey> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error('its signature does not fit its key');
    const { algorithm } = request.publicKey as { algorithm: { name: string; namedCurve?: string } };
    if (algorithm.name !== keyAlgorithm.name || algorithm.namedCurve !== keyAlgorithm.namedCurve)
      throw new Error('its key is not ECDSA P-256');
    return await request.publicKey.export();
  } catch (error) {
    throw new InvalidInput(`csr: not a usable PKCS#10 request: ${(error as Error).message}`, {
      fields: [{ pointer: '/csr', detail: (error as Error).message }],
      cause: error,
    });
  }
}

/** 127 random bits, positive. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40; // a leading zero byte would be written differently by different programs
  return bytes.toString('hex');
}

function pemBlock(text: string, label: string): string {
  const match = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text);
  if (match === null) throw new Error(`it holds no ${label}`);
  return match[0];
}

function der(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'));
}
