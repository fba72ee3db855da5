/** Who may be a gateway: one-time tokens, enrolment, renewal, revocation. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { formatEnrolmentToken } from '@picket/shared/contract/enrolment-token';
import type { EnrolRequest, EnrolResponse, RenewalResponse } from '@picket/shared/contract/gateway';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { newId } from '@picket/shared/contract/identifiers';
import type { Policy } from '@picket/shared/contract/twin';
import { Conflict, Forbidden, NotFound } from '../errors.ts';
import type { AuthorityRepository, CertificateStanding, NewCertificate } from './authority-repository.ts';
import type { CertificateAuthority, IssuedCertificate } from './certificate-authority.ts';
import { writePrivateFile } from './private-file.ts';
import type { SigningKey } from './signing-key.ts';

/** Host and port under which agents reach a door. */
export interface DoorAddress {
  readonly host: string;
  readonly port: number;
}

export interface AuthorityServiceOptions {
  readonly repository: AuthorityRepository;
  readonly authority: CertificateAuthority;
  readonly signingKey: SigningKey;
  /** Signs model bundles. */
  readonly bundleKey: SigningKey;
  /** Folder of the authority's files; the revocation list for foreign brokers is written here. */
  readonly folder: string;
  /** Asked at each use, for ports may be chosen at the start. */
  readonly doors: () => { readonly https: DoorAddress; readonly mqtt: DoorAddress };
  /** A gateway lost its right to be connected: drop it. */
  readonly onRevoked: (gateway: GatewayId) => void;
}

export interface TokenRequest {
  /** Null: the gateway chooses its name, which must be new. A name that is enrolled already needs a token for it. */
  readonly gatewayId: GatewayId | null;
  readonly lifetimeSeconds: number;
  /** Who made it, for the books. */
  readonly createdBy: string;
}

export interface MadeToken {
  readonly id: string;
  /** Shown once; only a hash of its secret is kept. */
  readonly token: string;
  readonly gateway_id: GatewayId | null;
  readonly expires_at: string;
}

export const defaultTokenSeconds = 3600;
const enrolledCacheMs = 2000;
const keepTokensMs = 30 * 24 * 3_600_000;
const keepCertificatesMs = 7 * 24 * 3_600_000;

const initialGuard: Policy['guard'] = { admin_prefixes: [], management_ports: [22], never_block: [] };

export class AuthorityService {
  readonly #options: AuthorityServiceOptions;
  #enrolled: ReadonlySet<string> = new Set();
  #enrolledAt = -Infinity;

  constructor(options: AuthorityServiceOptions) {
    this.#options = options;
  }

  /** PEM of the CA certificate. */
  get caCertificate(): string {
    return this.#options.authority.certificate;
  }

  async createToken(request: TokenRequest): Promise<MadeToken> {
    const now = Date.now();
    const secret = randomBytes(32).toString('base64url');
    const id = newId();
    const expiresAt = new Date(now + request.lifetimeSeconds * 1000).toISOString();
    await this.#options.repository.insertToken(
      {
        id,
        secret_hash: hashSecret(secret),
        gateway_id: request.gatewayId,
        created_by: request.createdBy,
        created_at: new Date(now).toISOString(),
        expires_at: expiresAt,
        used_at: null,
        used_by: null,
      },
      new Date(now - keepTokensMs).toISOString(),
    );
    const { host, port } = this.#options.doors().https;
    const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const token = formatEnrolmentToken({ url, caFingerprint: this.#options.authority.fingerprint, secret });
    return { id, token, gateway_id: request.gatewayId, expires_at: expiresAt };
  }

  /** Throws `Forbidden` (no good token), `Conflict` (name taken) or `InvalidInput` (the request for a certificate). */
  async enrol(request: EnrolRequest): Promise<EnrolResponse> {
    const secretHash = hashSecret(request.token);
    await this.#refuseBadToken(secretHash, request.gateway_id);
    const now = new Date();
    const issued = await this.#options.authority.issueGateway(request.gateway_id, request.csr);
    const taken = await this.#options.repository.enrol(
      secretHash,
      {
        id: request.gateway_id,
        at: now.toISOString(),
        agentVersion: request.agent_version,
        protocol: request.protocol,
        guard: JSON.stringify(initialGuard),
      },
      certificateRow(request.gateway_id, issued, now),
    );
    if (!taken) {
      await this.#refuseBadToken(secretHash, request.gateway_id); // says why; somebody was quicker
      throw new Conflict('the enrolment was overtaken by another one; try again');
    }
    this.#options.onRevoked(request.gateway_id); // whoever still holds the certificates of before
    await this.writeRevocationList();
    return {
      gateway_id: request.gateway_id,
      certificate: issued.certificate,
      ca: this.#options.authority.certificate,
      signing_key: { ...this.#options.signingKey.publicJwk },
      bundle_key: { ...this.#options.bundleKey.publicJwk },
      ...this.#options.doors(),
    };
  }

  /** A certificate for a new key of the same gateway. The old one ends by itself. */
  async renew(gateway: GatewayId, csr: string): Promise<RenewalResponse> {
    const now = new Date();
    const issued = await this.#options.authority.issueGateway(gateway, csr);
    await this.#options.repository.insertCertificate(certificateRow(gateway, issued, now));
    await this.#options.repository.forgetEndedCertificates(new Date(now.getTime() - keepCertificatesMs).toISOString());
    return {
      certificate: issued.certificate,
      ca: this.#options.authority.certificate,
      bundle_key: { ...this.#options.bundleKey.publicJwk },
    };
  }

  /** Ends a gateway's right to speak. Its live connection is dropped. Throws `NotFound`. */
  async revoke(gateway: GatewayId, by: string): Promise<void> {
    const revoked = await this.#options.repository.revokeGateway(gateway, new Date().toISOString(), by);
    if (!revoked) throw new NotFound(`there is no enrolled gateway ${gateway}`);
    this.#enrolledAt = -Infinity;
    this.#options.onRevoked(gateway);
    await this.writeRevocationList();
  }

  async standing(gateway: GatewayId, serial: string): Promise<CertificateStanding> {
    return this.#options.repository.standing(gateway, serial);
  }

  /** Known and not revoked. The answer may be two seconds old: it is asked for every message. */
  async isEnrolled(gateway: GatewayId): Promise<boolean> {
    const now = Date.now();
    if (now - this.#enrolledAt > enrolledCacheMs || !this.#enrolled.has(gateway)) {
      this.#enrolled = await this.#options.repository.enrolledGateways();
      this.#enrolledAt = now;
    }
    return this.#enrolled.has(gateway);
  }

  /** `crl.pem` for brokers that check one: Mosquitto's `crlfile`. */
  async writeRevocationList(): Promise<void> {
    const serials = await this.#options.repository.revokedSerials(new Date().toISOString());
    writePrivateFile(join(this.#options.folder, 'crl.pem'), await this.#options.authority.revocationList(serials));
  }

  async #refuseBadToken(secretHash: string, gateway: GatewayId): Promise<void> {
    const token = await this.#options.repository.findToken(secretHash);
    const another = 'make a new one with `picket-controller enroll-token`';
    if (token === undefined) throw new Forbidden(`this controller did not make this token; ${another}`);
    if (token.used_at !== null)
      throw new Forbidden(`the token was used at ${token.used_at} by ${token.used_by}; ${another}`);
    if (token.expires_at <= new Date().toISOString())
      throw new Forbidden(`the token expired at ${token.expires_at}; ${another}`);
    if (token.gateway_id !== null && token.gateway_id !== gateway)
      throw new Forbidden(`the token is for the gateway ${token.gateway_id}, not for ${gateway}; give --gateway-id`);
    if (token.gateway_id === null && (await this.#options.repository.isKnown(gateway)))
      throw new Conflict(
        `a gateway ${gateway} is known already; choose another --gateway-id, or make a token with \`enroll-token --gateway-id ${gateway}\` to replace it`,
      );
  }
}

function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function certificateRow(gateway: GatewayId, issued: IssuedCertificate, now: Date): NewCertificate {
  return {
    serial: issued.serial,
    gatewayId: gateway,
    issuedAt: now.toISOString(),
    notAfter: issued.notAfter.toISOString(),
  };
}
