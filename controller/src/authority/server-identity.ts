/**
 * The certificates that the controller itself shows: to agents at the door and the broker, and to the broker as its own
 * client. Made anew when the names change and at two thirds of their life; servers are told and swap without a restart.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { CertificateAuthority, KeyAndCertificate } from './certificate-authority.ts';
import { readIfPresent, writePrivateFile } from './private-file.ts';

const checkEveryMs = 3_600_000;

/** Always in the certificate, whatever public names there are. */
const localNames = ['localhost', '127.0.0.1', '::1'] as const;

export interface ServerIdentityOptions {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  /** Host names and addresses under which agents reach this controller. */
  readonly publicHosts: readonly string[];
  readonly log: Pick<Logger, 'info' | 'error'>;
}

export class ServerIdentity implements Disposable {
  readonly #options: ServerIdentityOptions;
  readonly #listeners = new Set<(server: KeyAndCertificate) => void>();
  #server: KeyAndCertificate;
  #controller: KeyAndCertificate;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: ServerIdentityOptions, server: KeyAndCertificate, controller: KeyAndCertificate) {
    this.#options = options;
    this.#server = server;
    this.#controller = controller;
  }

  static async open(options: ServerIdentityOptions): Promise<ServerIdentity> {
    const identity = new ServerIdentity(options, await currentServer(options), await currentController(options));
    identity.#timer = setInterval(() => void identity.#refresh(), checkEveryMs);
    identity.#timer.unref();
    return identity;
  }

  get server(): KeyAndCertificate {
    return this.#server;
  }

  /** For the controller's own connection to the broker. */
  get controller(): KeyAndCertificate {
    return this.#controller;
  }

  /** Called with the new certificate whenever it changed. */
  onServerChange(listener: (server: KeyAndCertificate) => void): void {
    this.#listeners.add(listener);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  async #refresh(): Promise<void> {
    try {
      this.#controller = await currentController(this.#options);
      const server = await currentServer(this.#options);
      if (server.certificate === this.#server.certificate) return;
      this.#server = server;
      this.#options.log.info('the server certificate was renewed');
      for (const listener of this.#listeners) listener(server);
    } catch (error) {
      this.#options.log.error({ err: error }, 'cannot renew the server certificate; the next try is in an hour');
    }
  }
}

async function currentServer(options: ServerIdentityOptions): Promise<KeyAndCertificate> {
  const names = [...new Set([...localNames, ...options.publicHosts])];
  return currentOr(join(options.folder, 'server.pem'), options.authority, names, () =>
    options.authority.issueServer(names),
  );
}

async function currentController(options: ServerIdentityOptions): Promise<KeyAndCertificate> {
  return currentOr(join(options.folder, 'controller.pem'), options.authority, [], () =>
    options.authority.issueController(),
  );
}

async function currentOr(
  path: string,
  authority: CertificateAuthority,
  names: readonly string[],
  issue: () => Promise<KeyAndCertificate>,
): Promise<KeyAndCertificate> {
  const kept = parsePair(readIfPresent(path));
  if (kept !== undefined && isGood(kept, authority, names)) return kept;
  const issued = await issue();
  writePrivateFile(path, `${issued.certificate}\n${issued.key}`);
  return issued;
}

function parsePair(text: string | undefined): KeyAndCertificate | undefined {
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text ?? '')?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text ?? '')?.[0];
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function isGood(pair: KeyAndCertificate, authority: CertificateAuthority, names: readonly string[]): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const young = Date.now() >= from && Date.now() < from + (2 / 3) * (to - from);
  const ours = certificate.verify(new X509Certificate(authority.certificate).publicKey);
  const wanted = new Set(names);
  const given = (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => /^(?:DNS|IP Address):/.test(name))
    .map((name) => canonicalAddress(name.replace(/^(?:DNS|IP Address):/, '')));
  return young && ours && given.length === wanted.size && names.every((name) => given.includes(canonicalAddress(name)));
}

/** OpenSSL prints `::1` as `0:0:0:0:0:0:0:1`. */
function canonicalAddress(name: string): string {
  return name.includes(':') ? new URL(`http://[${name}]`).hostname : name.toLowerCase();
}
