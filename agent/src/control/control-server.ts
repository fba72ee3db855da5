/**
 * The local door of a running agent: JSON over HTTP on a unix socket in the state directory, mode 0600, so that whoever
 * may read the agent's state may also steer it. The command line talks to it; nothing else does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { DecisionAction, DecisionDirection, DecisionScope, maxDecisionSeconds } from '@picket/shared/contract/decision';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import { AgentError } from '../errors.ts';

/** A year: whoever wants it open for longer does not want it back by itself. */
export const maxFailOpenSeconds = 366 * 86_400;

/** A decision asked for by hand on the gateway. */
export const DecisionRequest = z.strictObject({
  scope: DecisionScope,
  value: z.string().min(1).max(100),
  direction: DecisionDirection,
  action: DecisionAction,
  duration_seconds: z.int().min(1).max(maxDecisionSeconds),
  reason: z.string().max(500),
});
export type DecisionRequest = z.infer<typeof DecisionRequest>;

/** A decision that should hold, and whether the kernel has it. */
export interface HeldDecision {
  readonly decision: Decision;
  readonly in_kernel: boolean;
}

/** Why a decision exists, for people. */
export interface ExplainedDecision extends HeldDecision {
  /** Packets that met it, as the kernel counted them last. */
  readonly packets: number;
  readonly lines: readonly string[];
}

export interface Explanations {
  readonly decisions: readonly ExplainedDecision[];
  /** What keeps this value from ever being restricted here; null where nothing does. */
  readonly guarded: string | null;
}

export interface ControlHandlers {
  /** Anything JSON can carry; `picket-agent status` prints it. */
  status(): unknown;
  listDecisions(): Promise<readonly HeldDecision[]>;
  /** Every decision about this: its id, its value, or an address that it covers. */
  explainDecisions(idOrValue: string): Promise<Explanations>;
  addDecision(request: DecisionRequest): Promise<DecisionEvent>;
  /** By id or by value; answers those that were lifted. */
  deleteDecisions(idOrValue: string): Promise<readonly DecisionEvent[]>;
  /** Takes everything out of the kernel and keeps it out; resolves when it is gone. */
  failOpen(request: FailOpenRequest): Promise<void>;
  /** Restricts again; answers what holds then. */
  resume(): Promise<readonly HeldDecision[]>;
}

/** `picket-agent fail-open`. */
export const FailOpenRequest = z.strictObject({
  /** Null: until resumed. */
  seconds: z.int().min(1).max(maxFailOpenSeconds).nullable(),
  who: z.string().max(100),
});
export type FailOpenRequest = z.infer<typeof FailOpenRequest>;

const bodyLimit = 16_384;

export function controlSocketPath(stateDirectory: string): string {
  return join(stateDirectory, 'agent.sock');
}

export class ControlServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws when another agent already listens there. */
  static async listen(stateDirectory: string, handlers: ControlHandlers): Promise<ControlServer> {
    const path = controlSocketPath(stateDirectory);
    if (await isListening(path)) {
      throw new AgentError(
        'unavailable',
        `another agent is already running with the state directory ${stateDirectory}; stop it first`,
      );
    }
    rmSync(path, { force: true }); // left behind by an agent that was killed
    const server = createServer((request, response) => void answer(request, response, handlers));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new AgentError('cannot-create', `cannot listen on ${path}: ${error.message}`, { cause: error })),
      );
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return new ControlServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, handlers: ControlHandlers): Promise<void> {
  try {
    const body = await route(request, handlers);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch (error) {
    const known = error instanceof AgentError || error instanceof z.ZodError;
    response
      .writeHead(known ? 422 : 500, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message }));
  }
}

async function route(request: IncomingMessage, handlers: ControlHandlers): Promise<unknown> {
  const [, resource, argument] = (request.url ?? '').split('/');
  if (request.method === 'GET' && resource === 'status') return handlers.status();
  if (request.method === 'GET' && resource === 'decisions') {
    return argument === undefined ? handlers.listDecisions() : handlers.explainDecisions(decodeURIComponent(argument));
  }
  if (request.method === 'POST' && resource === 'decisions') {
    return handlers.addDecision(DecisionRequest.parse(JSON.parse(await readBody(request))));
  }
  if (request.method === 'DELETE' && resource === 'decisions' && argument !== undefined) {
    return handlers.deleteDecisions(decodeURIComponent(argument));
  }
  if (request.method === 'POST' && resource === 'fail-open') {
    await handlers.failOpen(FailOpenRequest.parse(JSON.parse(await readBody(request))));
    return {};
  }
  if (request.method === 'DELETE' && resource === 'fail-open') return handlers.resume();
  throw new AgentError('usage', `the agent has no ${request.method} ${request.url}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bodyLimit) throw new AgentError('bad-data', `a request may have at most ${bodyLimit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
