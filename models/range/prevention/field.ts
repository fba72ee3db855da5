/** What a scenario acts on: its network, agents, attackers and honest client; it remembers what was expected and seen. */
import type { Namespace } from '../namespace.ts';
import { RunningProgram, eventually } from '../running-program.ts';
import { tryPort } from './conversations.ts';
import { type AgentOptions, GatewayAgent } from './gateway-agent.ts';
import { GuardedNetwork, type NetworkPlan } from './guarded-network.ts';
import type { Host } from './hosts.ts';
import { type KernelElement, KernelWatch, elementsNaming } from './kernel.ts';
import { type Collateral, SteadyClient, addCollateral, startEcho } from './steady-client.ts';

/** For what happens at once where the machine has time. */
export const patienceMs = 60_000;
const fewTriesMs = 30_000;

export interface FieldPlan {
  /** What is attacked or restricted; the device always has a web server. */
  readonly network?: NetworkPlan;
  /** Whom the honest client visits all the time. Default: the device. */
  readonly honestClientVisits?: 'device' | 'neighbour';
}

export interface Expectation {
  readonly what: string;
  readonly met: boolean;
  /** What was seen. */
  readonly evidence: string;
}

export class Field implements AsyncDisposable {
  readonly network: GuardedNetwork;
  readonly #startClient: () => Promise<SteadyClient>;
  #client: SteadyClient;
  /** Of the client's earlier times. */
  readonly #collateral: Collateral[] = [];
  readonly #expectations: Expectation[] = [];
  readonly #agents: GatewayAgent[] = [];
  #attackToDropMs: number | null = null;
  #fifthFailureToDropMs: number | null = null;

  private constructor(network: GuardedNetwork, client: SteadyClient, startClient: () => Promise<SteadyClient>) {
    this.network = network;
    this.#client = client;
    this.#startClient = startClient;
  }

  /** The network stands and the honest client has been served once when this resolves. */
  static async open(plan: FieldPlan): Promise<Field> {
    const services = plan.network?.services ?? [];
    const network = await GuardedNetwork.open({
      ...plan.network,
      services: services.includes('web') ? services : ['web', ...services],
    });
    try {
      const visited = plan.honestClientVisits === 'neighbour' ? network.neighbour : network.device;
      if (visited === network.neighbour) await network.serve(visited, 'web');
      const address = visited === network.device ? network.target : visited.address;
      await startEcho(network, visited);
      const startClient = (): Promise<SteadyClient> => SteadyClient.start(network, address);
      return new Field(network, await startClient(), startClient);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  get expectations(): readonly Expectation[] {
    return this.#expectations;
  }

  /** Of the last attack that was timed. */
  get attackToDropMs(): number | null {
    return this.#attackToDropMs;
  }

  /** From the fifth refused log-in of that attack on; null where it had no five, or they are not told apart. */
  get fifthFailureToDropMs(): number | null {
    return this.#fifthFailureToDropMs;
  }

  /** What the agents said last, and what their kernel holds: for whoever looks for the cause of a failure. */
  async describeAgents(): Promise<string> {
    const { stdout } = await this.network.gateway.run(['nft', 'list', 'table', 'inet', 'picket']);
    const decisions = await Promise.all(this.#agents.map((agent) => agent.decisions().catch(() => [])));
    const states = await Promise.all(this.#agents.map((agent) => agent.ask('GET', '/status').catch(String)));
    return [
      ...this.#agents.map(({ program }) => program.output.slice(-2000)),
      ...states.map((state) => JSON.stringify(state)),
      ...decisions.flat().map(({ decision }) => JSON.stringify(decision)),
      stdout.slice(0, 6000),
    ].join('\n');
  }

  /** Enforcing where `config` says nothing else; it answers when this resolves. */
  async startAgent(config: Readonly<Record<string, unknown>> = {}, options: AgentOptions = {}): Promise<GatewayAgent> {
    const agent = await GatewayAgent.start(this.network, { mode: 'enforce', ...config }, options);
    this.#agents.push(agent);
    await agent.untilReady(patienceMs);
    return agent;
  }

  /** Note whether something is as it must be. A scenario goes on either way. */
  expect(what: string, met: boolean, evidence: unknown = met): boolean {
    this.#expectations.push({ what, met, evidence: textOf(evidence) });
    return met;
  }

  /** Note whether it becomes so in time; the answer, right or not. */
  async expectSoon<T>(
    what: string,
    ask: () => Promise<T>,
    isRight: (answer: T) => boolean,
    deadlineMs = patienceMs,
  ): Promise<T> {
    let last: T | undefined;
    const began = performance.now();
    try {
      last = await eventually(async () => (last = await ask()), isRight, deadlineMs);
      this.expect(what, true, `after ${Math.round(performance.now() - began)} ms: ${textOf(last)}`);
    } catch (error) {
      this.expect(what, false, last === undefined ? String(error) : `after ${deadlineMs} ms: ${textOf(last)}`);
    }
    return last as T;
  }

  /**
   * Who may get a page from the device just now. One try proves that somebody may not; who may is given a few, for a busy
   * machine loses a try now and then, and that nobody honest loses one is for the steady client to say.
   */
  async expectReach(what: string, host: Host, mayReach: boolean): Promise<void> {
    if (mayReach) return this.expectTry(what, () => this.network.reachesDevice(host));
    const reaches = await this.network.reachesDevice(host);
    this.expect(what, !reaches, reaches ? 'got the page' : 'got nothing');
  }

  /** That a TCP port opens for a host, with a few tries likewise. */
  expectOpen(what: string, from: Namespace, address: string, port: number): Promise<void> {
    return this.expectTry(what, () => tryPort(from, address, port));
  }

  /** That a ping is answered, with a few tries likewise. */
  expectPing(what: string, from: Namespace, address: string): Promise<void> {
    return this.expectTry(what, () => this.network.pings(from, address));
  }

  /** That something succeeds, with a few tries likewise. */
  async expectTry(what: string, succeeds: () => Promise<boolean>): Promise<void> {
    await this.expectSoon(what, succeeds, Boolean, fewTriesMs);
  }

  /** Elements of decisions that name an address or a MAC. */
  held(text: string): Promise<readonly KernelElement[]> {
    return elementsNaming(this.network.gateway, text);
  }

  /**
   * Start an attack, and take the time from its first packet at the gateway until the kernel restricts `restricted`.
   * `refusals`: the packets that refuse a log-in, for tcpdump.
   */
  async attackUntilRestricted(
    from: Host,
    argv: readonly string[],
    restricted: string,
    {
      leg = 'wan0',
      filter = `src host ${from.address}`,
      refusals = '',
      isPattern = false,
      deadlineMs = patienceMs,
    } = {},
  ): Promise<RunningProgram> {
    const { network } = this;
    const options = ['-l', '-tt', '-n', '-i', leg];
    const first = network.start(network.gateway, ['tcpdump', ...options, '-c', '1', `(${filter}) and not arp`]);
    const fifth =
      refusals === '' ? undefined : network.start(network.gateway, ['tcpdump', ...options, '-c', '5', refusals]);
    for (const program of [first, fifth]) await program?.untilPrinted(/listening on/, patienceMs);
    const watch = await KernelWatch.begin(network.gateway, (command) => network.start(network.gateway, command));
    const attack = network.start(from.namespace, argv);
    try {
      const restrictedAtMs = await watch.restricted(isPattern ? restricted : RegExp.escape(restricted), deadlineMs);
      const [, seconds] = await first.untilPrinted(/^(\d+\.\d+) IP/m, deadlineMs);
      this.#attackToDropMs = Math.round(restrictedAtMs - Number(seconds) * 1000);
      const refused = [...(fifth?.output.matchAll(/^(\d+\.\d+) IP/gm) ?? [])];
      this.#fifthFailureToDropMs =
        refused[4] === undefined ? null : Math.round(restrictedAtMs - Number(refused[4][1]) * 1000);
      this.expect(
        `${restricted} is restricted in the kernel`,
        true,
        `${this.#attackToDropMs} ms after the first packet`,
      );
    } catch (error) {
      const seen = (error as Error).message.slice(0, 500);
      this.expect(`${restricted} is restricted in the kernel`, false, `not within ${deadlineMs} ms: ${seen}`);
    }
    return attack;
  }

  /** Something that cuts everybody off whatever the agent does: the honest client pauses meanwhile. */
  async withoutClient(work: () => Promise<void>): Promise<void> {
    this.#collateral.push(await this.#client.stop());
    await work();
    this.#client = await this.#startClient();
  }

  /** The honest client makes no further visit, and says what it lost. */
  async stopClient(): Promise<Collateral> {
    return addCollateral([...this.#collateral, await this.#client.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]();
  }
}

function textOf(evidence: unknown): string {
  const text = typeof evidence === 'string' ? evidence : (JSON.stringify(evidence) ?? 'undefined');
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
