/** A controller on its host in the range, and gateways that join it: `picket-controller serve`, its API, enrolment. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../namespace.ts';
import { type RunningProgram, eventually } from '../running-program.ts';
import { agentCommand, stateDirOf } from './gateway-agent.ts';
import type { GuardedNetwork } from './guarded-network.ts';

const main = fileURLToPath(new URL('../../../controller/src/main.ts', import.meta.url));
const command = [process.execPath, '--no-warnings', '--conditions=@picket/source', main];
const password = 'known in this range only';
const patienceMs = 90_000;

/** As `GET /gateways/{id}` answers; more members are there. */
export interface GatewayAnswer {
  readonly status: string;
  readonly mode: string;
  readonly twin: {
    readonly mode: string | null;
    readonly policy: {
      readonly desired_version: number;
      readonly in_sync: boolean;
      readonly reported: {
        readonly version: number;
        readonly step: string;
        readonly detail: string | null;
        readonly in_force: number | null;
        readonly steps: readonly { readonly step: string }[];
      } | null;
    };
  };
}

/** As `POST /decisions` and `GET /decisions/{id}` answer; more members are there. */
export interface DecisionAnswer {
  readonly id: string;
  readonly active: boolean;
  readonly gateways: readonly { readonly gateway_id: string; readonly state: string; readonly detail: string | null }[];
}

export class ControlRoom {
  readonly #network: GuardedNetwork;
  readonly #namespace: Namespace;
  readonly address: string;
  #program: RunningProgram;
  #token = '';

  private constructor(network: GuardedNetwork, namespace: Namespace, address: string, program: RunningProgram) {
    this.#network = network;
    this.#namespace = namespace;
    this.address = address;
    this.#program = program;
  }

  /** It serves, and somebody is logged in, when this resolves. The network's plan must have a controller's host. */
  static async open(network: GuardedNetwork): Promise<ControlRoom> {
    const { controller } = network;
    if (controller === undefined) throw new Error('this network has no host for a controller');
    const { namespace, address } = controller;
    const room = new ControlRoom(network, namespace, address, serve(network, namespace, address));
    await room.#untilReady();
    return room;
  }

  /** The one that runs now. */
  get program(): RunningProgram {
    return this.#program;
  }

  /** With the same data, after `program` was stopped. */
  async startAgain(): Promise<void> {
    this.#program = serve(this.#network, this.#namespace, this.address);
    await this.#untilReady();
  }

  /** Asks the API. Throws where it answers with a problem; `mayFail` gives the problem back instead. */
  async api(method: string, path: string, body?: object, mayFail = false): Promise<unknown> {
    const { stdout, status } = await this.#namespace.run([
      'curl',
      '-s',
      '-m',
      '30',
      '-w',
      '\n%{http_code}',
      '-X',
      method,
      ...(body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]),
      ...(this.#token === '' ? [] : ['-H', `authorization: Bearer ${this.#token}`]),
      `http://127.0.0.1:8000/api/v1${path}`,
    ]);
    const [, text = '', code = '0'] = /^([\s\S]*)\n(\d+)$/.exec(stdout) ?? [];
    if (status !== 0) throw new Error(`the controller did not answer ${method} ${path}: curl ended with ${status}`);
    if (Number(code) >= 400 && !mayFail) throw new Error(`${method} ${path}: ${code} ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async gateway(id: string): Promise<GatewayAnswer> {
    return (await this.api('GET', `/gateways/${id}`)) as GatewayAnswer;
  }

  /** Identity for an agent that will be started under this name. */
  async enrol(id: string, namespace: Namespace, name = 'agent'): Promise<void> {
    const made = (await this.api('POST', '/gateways/enrolment-tokens', { gateway_id: id })) as { token: string };
    const stateDir = stateDirOf(this.#network, name);
    await mkdir(stateDir, { recursive: true });
    const words = ['enroll', '--token', made.token, '--gateway-id', id, '--state-dir', stateDir];
    await namespace.must([...agentCommand, ...words], patienceMs);
  }

  /** Online, and the newest policy holds there. */
  async untilInSync(id: string): Promise<GatewayAnswer> {
    return eventually(
      () => this.gateway(id),
      ({ status, twin }) => status === 'online' && twin.policy.in_sync,
      patienceMs,
    );
  }

  /** Wants this mode of a gateway and waits until it holds there. */
  async useMode(id: string, mode: string): Promise<void> {
    await this.api('PATCH', `/gateways/${id}`, { mode });
    await eventually(
      () => this.gateway(id),
      ({ twin }) => twin.policy.in_sync && twin.mode === mode,
      patienceMs,
    );
  }

  /** An analyst's block of one address, for ten minutes. */
  async block(value: string, gateways?: readonly string[]): Promise<DecisionAnswer> {
    const wanted = { scope: 'ip', value, duration: 600, reason: 'seen attacking', ...(gateways && { gateways }) };
    return (await this.api('POST', '/decisions', wanted)) as DecisionAnswer;
  }

  async decision(id: string): Promise<DecisionAnswer> {
    return (await this.api('GET', `/decisions/${id}`)) as DecisionAnswer;
  }

  async #untilReady(): Promise<void> {
    await this.#program.untilPrinted(/"ready"/, patienceMs);
    this.#token = '';
    const login = (await this.api('POST', '/auth/login', { username: 'admin', password })) as { access_token: string };
    this.#token = login.access_token;
  }
}

function serve(network: GuardedNetwork, namespace: Namespace, address: string): RunningProgram {
  return network.start(namespace, [...command, 'serve', '--public-host', address], {
    PICKET_DATA_DIR: join(network.folder, 'controller'),
    PICKET_ADMIN_PASSWORD: password,
  });
}
