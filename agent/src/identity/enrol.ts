/**
 * First contact. The token brings the fingerprint of the controller's CA, so that the very first answer is already
 * checked; the secret goes out only to a server that this CA vouches for.
 */
import { X509Certificate, createHash } from 'node:crypto';
import { parseEnrolmentToken } from '@picket/shared/contract/enrolment-token';
import type { EnrolmentToken } from '@picket/shared/contract/enrolment-token';
import { EnrolResponse } from '@picket/shared/contract/gateway';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { Problem } from '@picket/shared/contract/problem';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import { AgentError } from '../errors.ts';
import { createCertificateRequest } from './certificate-request.ts';
import { askDoor, isTrustError, namesOf } from './door-client.ts';
import type { DoorAnswer } from './door-client.ts';
import { GatewayIdentity, identityPath, loadIdentity, saveIdentity } from './gateway-identity.ts';

export interface EnrolOptions {
  readonly token: string;
  readonly gatewayId: GatewayId;
  readonly stateDir: string;
  /** Replaces an identity that is there. */
  readonly replace: boolean;
  /** Another way to the same controller than the token's. */
  readonly controllerUrl: string | undefined;
  readonly agentVersion: string;
}

const timeoutMs = 15_000;
const maxAnswerBytes = 64 * 1024;

/** Enrols and keeps the identity. Throws an AgentError that says what to do, one line, for each way it can fail. */
export async function enrol(options: EnrolOptions): Promise<GatewayIdentity> {
  const token = parseEnrolmentToken(options.token);
  if (token === undefined)
    throw new AgentError(
      'usage',
      'this is not an enrolment token; paste the whole line that `picket-controller enroll-token` printed, it begins with pk1.',
    );
  refuseOverwrite(options);
  const url = new URL(options.controllerUrl ?? token.url);
  const door = { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || 443) };
  const ca = await fetchPinnedCa(door, token);
  const { privateKey, csr } = await createCertificateRequest(options.gatewayId);
  const answer = await ask(door, () =>
    askDoor({
      ...door,
      method: 'POST',
      path: '/api/v1/enrol',
      body: {
        token: token.secret,
        gateway_id: options.gatewayId,
        csr,
        agent_version: options.agentVersion,
        protocol: protocolVersion,
      },
      ca,
      maxBytes: maxAnswerBytes,
      timeoutMs,
    }),
  );
  const response = readResponse(answer);
  const sameHost = response.mqtt.host === response.https.host; // the embedded broker moves with the door
  const identity: GatewayIdentity = {
    gateway_id: response.gateway_id,
    private_key: privateKey,
    certificate: response.certificate,
    ca,
    signing_keys: GatewayIdentity.shape.signing_keys.parse([response.signing_key]),
    bundle_keys: GatewayIdentity.shape.bundle_keys.parse(
      response.bundle_key === undefined ? [] : [response.bundle_key],
    ),
    https: options.controllerUrl === undefined ? response.https : door,
    mqtt: options.controllerUrl !== undefined && sameHost ? { ...response.mqtt, host: door.host } : response.mqtt,
  };
  saveIdentity(options.stateDir, identity);
  return identity;
}

function refuseOverwrite(options: EnrolOptions): void {
  if (options.replace) return;
  const existing = loadIdentity(options.stateDir);
  if (existing === undefined) return;
  throw new AgentError(
    'cannot-create',
    `this gateway is enrolled already as ${existing.gateway_id} (${identityPath(options.stateDir)}); add --replace to enrol it anew`,
  );
}

async function fetchPinnedCa(door: { host: string; port: number }, token: EnrolmentToken): Promise<string> {
  const answer = await ask(door, () =>
    askDoor({ ...door, method: 'GET', path: '/ca.pem', ca: null, maxBytes: maxAnswerBytes, timeoutMs }),
  );
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(answer.body);
  } catch (error) {
    throw new AgentError(
      'bad-data',
      `${door.host}:${door.port} is not a Picket controller's door for agents; check --controller`,
      {
        cause: error,
      },
    );
  }
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  if (fingerprint !== token.caFingerprint)
    throw new AgentError(
      'no-permission',
      `${door.host}:${door.port} is not the controller that made this token: its CA is ${fingerprint}, the token expects ${token.caFingerprint}; nothing was sent to it`,
    );
  return certificate.toString();
}

async function ask(door: { host: string; port: number }, send: () => Promise<DoorAnswer>): Promise<DoorAnswer> {
  try {
    return await send();
  } catch (error) {
    const where = `${door.host}:${door.port}`;
    if ((error as { code?: unknown }).code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      throw new AgentError(
        'no-permission',
        `the controller's certificate is not for ${door.host} but for ${namesOf(error)}; start the controller with --public-host ${door.host}`,
        { cause: error },
      );
    if (isTrustError(error))
      throw new AgentError(
        'no-permission',
        `cannot trust ${where}: ${(error as Error).message}; is something in between?`,
        {
          cause: error,
        },
      );
    throw new AgentError(
      'unavailable',
      `cannot reach the controller at ${where}: ${(error as Error).message}; is it running, with --public-host, and is the port open?`,
      { cause: error },
    );
  }
}

function readResponse(answer: DoorAnswer): EnrolResponse {
  const body = parseJson(answer.body);
  if (answer.status === 201) {
    const response = EnrolResponse.safeParse(body);
    if (response.success) return response.data;
    throw new AgentError(
      'bad-data',
      'the controller gave an answer this agent does not understand; update picket-agent',
    );
  }
  const problem = Problem.safeParse(body);
  const detail = problem.success ? problem.data.detail : `status ${answer.status}`;
  throw new AgentError(
    answer.status >= 500 || answer.status === 429 ? 'temporary-failure' : 'no-permission',
    `the controller refused the enrolment: ${detail}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
