/** One HTTPS request to the controller's door for agents: TLS 1.3 under the controller's own CA, bounded in time and size. */
import { request } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import { isIP } from 'node:net';
import { protocolVersion } from '@picket/shared/contract/protocol-version';

export interface DoorRequest {
  readonly host: string;
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** PEM. Null: nobody is believed yet, and nothing secret may be sent; only to fetch the CA that is then compared. */
  readonly ca: string | null;
  /** Client certificate and key, PEM. */
  readonly client?: { readonly certificate: string; readonly key: string };
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface DoorAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** The same as text. */
  readonly body: string;
}

/** Rejects with the socket's or TLS's error, whose `code` says which; resolves for any HTTP status. */
export async function askDoor(options: DoorRequest): Promise<DoorAnswer> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  return new Promise<DoorAnswer>((resolve, reject) => {
    const outgoing = request(
      {
        host: options.host,
        port: options.port,
        method: options.method,
        path: options.path,
        agent: false,
        minVersion: 'TLSv1.3',
        servername: isIP(options.host) === 0 ? options.host : '',
        rejectUnauthorized: options.ca !== null,
        ...(options.ca === null ? {} : { ca: options.ca }),
        ...(options.client === undefined ? {} : { cert: options.client.certificate, key: options.client.key }),
        headers: {
          'user-agent': `picket-agent/${protocolVersion}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
        signal,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > options.maxBytes) answer.destroy(new Error(`the answer is larger than ${options.maxBytes} bytes`));
          else chunks.push(chunk);
        });
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({
            status: answer.statusCode ?? 0,
            bytes,
            get body() {
              return bytes.toString('utf8');
            },
          });
        });
        answer.on('error', reject);
      },
    );
    outgoing.on('error', (error) => reject(timeout.aborted ? new Error('no answer in time', { cause: error }) : error));
    outgoing.end(body);
  });
}

/** True when the other end is not who it should be, as opposed to away. */
export function isTrustError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code);
}

/** Names in the certificate that did not fit, for the message to the operator. */
export function namesOf(error: unknown): string {
  const certificate = (error as { cert?: PeerCertificate }).cert;
  return certificate?.subjectaltname ?? 'unknown names';
}
