/** Renews the gateway's certificate by itself at two thirds of its life, with a new key each time. */
import type { Logger } from 'pino';
import { RenewalResponse } from '@picket/shared/contract/gateway';
import { createCertificateRequest } from './certificate-request.ts';
import { askDoor } from './door-client.ts';
import { GatewayIdentity, certificateLife, saveIdentity } from './gateway-identity.ts';

export interface CertificateRenewalOptions {
  readonly stateDir: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** How often to look; default 10 min. */
  readonly checkEveryMs?: number;
}

/** Holds the identity in force; whoever connects asks `current` each time. */
export class CertificateRenewal implements AsyncDisposable {
  readonly #options: CertificateRenewalOptions;
  readonly #stop = new AbortController();
  #identity: GatewayIdentity;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(identity: GatewayIdentity, options: CertificateRenewalOptions) {
    this.#identity = identity;
    this.#options = options;
  }

  static start(identity: GatewayIdentity, options: CertificateRenewalOptions): CertificateRenewal {
    const renewal = new CertificateRenewal(identity, options);
    const check = (): void => {
      renewal.#running = renewal.#running.then(() => renewal.renewIfDue());
    };
    renewal.#timer = setInterval(check, options.checkEveryMs ?? 600_000);
    renewal.#timer.unref();
    check();
    return renewal;
  }

  get current(): GatewayIdentity {
    return this.#identity;
  }

  /** A failure is logged and tried again at the next look; the certificate in use is untouched. */
  async renewIfDue(now: number = Date.now()): Promise<void> {
    const { fromMs, toMs } = certificateLife(this.#identity);
    if (now < fromMs + (2 / 3) * (toMs - fromMs)) return;
    try {
      this.#identity = await renew(this.#identity, this.#stop.signal);
      saveIdentity(this.#options.stateDir, this.#identity);
      this.#options.log.info('the certificate of this gateway was renewed');
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const left = Math.max(0, Math.round((toMs - now) / 3_600_000));
      this.#options.log[left < 6 ? 'error' : 'warn'](
        { err: error, hours_left: left },
        left === 0
          ? 'the certificate has ended and cannot be renewed; enrol again with `picket-agent enroll --replace --token …`'
          : 'cannot renew the certificate; trying again',
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
  }
}

async function renew(identity: GatewayIdentity, signal: AbortSignal): Promise<GatewayIdentity> {
  const { privateKey, csr } = await createCertificateRequest(identity.gateway_id);
  const answer = await askDoor({
    ...identity.https,
    method: 'POST',
    path: '/api/v1/agent/certificate',
    body: { csr },
    ca: identity.ca,
    client: { certificate: identity.certificate, key: identity.private_key },
    maxBytes: 64 * 1024,
    timeoutMs: 15_000,
    signal,
  });
  if (answer.status !== 201) throw new Error(`the controller answered ${answer.status}: ${answer.body.slice(0, 300)}`);
  const response = RenewalResponse.parse(JSON.parse(answer.body));
  const { bundle_key } = response;
  return {
    ...identity,
    private_key: privateKey,
    certificate: response.certificate,
    ...(bundle_key === undefined ? {} : { bundle_keys: GatewayIdentity.shape.bundle_keys.parse([bundle_key]) }),
  };
}
