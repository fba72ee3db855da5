/** Everything of the agent that exists only because there is a controller: certificate, link, sender, twin. */
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { Logger } from 'pino';
import type { Health } from '@picket/shared/contract/gateway';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { BundleReported, Policy } from '@picket/shared/contract/twin';
import type { AgentConfig } from './config/agent-config.ts';
import { desiredTargets, type PolicySettings } from './desired-targets.ts';
import { BundleStore } from './detection/bundle-store.ts';
import { readBundleTrust } from './detection/bundle-trust.ts';
import type { Guard } from './enforcement/guard.ts';
import { CertificateRenewal } from './identity/certificate-renewal.ts';
import { fetchBundleFile } from './identity/fetch-bundle-file.ts';
import type { GatewayIdentity } from './identity/gateway-identity.ts';
import { MqttControllerLink } from './report/mqtt-controller-link.ts';
import { OutboxSender } from './report/outbox-sender.ts';
import type { Outbox } from './report/outbox.ts';
import { proveReachable } from './report/prove-reachable.ts';
import type { Reporter } from './report/reporter.ts';
import { DesiredState } from './twin/apply-desired.ts';
import { BundleFollower } from './twin/follow-bundle.ts';
import { policyInForce } from './twin/policy-in-force.ts';
import { ReportedState } from './twin/reported-state.ts';
import { DesiredVerifier } from './twin/verify-desired.ts';
import { agentVersion } from './version.ts';
import type { Watch } from './watch.ts';

/** What was accepted of the controller, and how to tell what is its own. */
export interface Accepted extends AsyncDisposable {
  readonly state: ReportedState;
  readonly verifier: DesiredVerifier;
  /** What holds from the first moment on; undefined: the gateway's own settings. */
  readonly policy: Policy | undefined;
}

/** To be opened before anything is restricted. Throws an AgentError where the file cannot be opened. */
export async function openAccepted(
  stateDir: string,
  { signing_keys, gateway_id }: GatewayIdentity,
  log: Logger,
): Promise<Accepted> {
  const state = ReportedState.open(join(stateDir, 'desired.sqlite'), log);
  const verifier = await DesiredVerifier.create(signing_keys, gateway_id);
  const policy = await policyInForce(state, verifier, log);
  return {
    state,
    verifier,
    policy,
    [Symbol.asyncDispose]: () => Promise.resolve(state[Symbol.dispose]()),
  };
}

export interface ControllerSideOptions {
  readonly config: AgentConfig;
  readonly identity: GatewayIdentity;
  /** Owned by the caller. */
  readonly accepted: Accepted;
  readonly bootId: BootId;
  readonly outbox: Outbox;
  readonly reporter: Reporter;
  readonly watch: Watch;
  /** The guard that these settings make on this host. */
  readonly guardOf: (settings: AgentConfig['guard']) => Promise<Guard>;
  readonly log: Logger;
}

export class ControllerSide implements AsyncDisposable {
  readonly #link: MqttControllerLink;
  readonly #sender: OutboxSender;
  readonly #desired: DesiredState;
  readonly #bundles: BundleFollower;
  readonly #resources: AsyncDisposableStack;
  readonly #settings: PolicySettings;

  private constructor(
    link: MqttControllerLink,
    sender: OutboxSender,
    desired: DesiredState,
    bundles: BundleFollower,
    settings: PolicySettings,
    resources: AsyncDisposableStack,
  ) {
    this.#link = link;
    this.#sender = sender;
    this.#desired = desired;
    this.#bundles = bundles;
    this.#settings = settings;
    this.#resources = resources;
  }

  /** Returns at once: the controller may be away for days. */
  static async start(options: ControllerSideOptions): Promise<ControllerSide> {
    await using resources = new AsyncDisposableStack();
    const { identity, bootId, outbox, log } = options;
    let link: MqttControllerLink | undefined; // the twin restores what held before anybody is connected
    const connected = (): MqttControllerLink => {
      if (link === undefined) throw new Error('not connected yet');
      return link;
    };
    const renewal = resources.use(CertificateRenewal.start(identity, { stateDir: options.config.state_dir, log }));
    const sender = resources.use(
      new OutboxSender({ outbox, bootId, send: async (batch) => connected().sendBatch(batch), log }),
    );
    const { state, verifier } = options.accepted;
    const settings: PolicySettings = { guard: undefined };
    let desired: DesiredState | undefined; // made of parts that report to it
    const bundles = resources.use(
      new BundleFollower({
        store: BundleStore.open(join(options.config.state_dir, 'bundles')),
        trust: () => readBundleTrust(options.config.model.trust, renewal.current.bundle_keys as JWK[]),
        serving: options.watch.model,
        fetchFile: (bundle, name, maxBytes, signal) =>
          fetchBundleFile(renewal.current, bundle.manifest_sha256, name, maxBytes, signal),
        onChanged: () => desired?.onFactsChanged(),
        log,
      }),
    );
    desired = resources.use(
      await DesiredState.open({
        verifier,
        state,
        targets: desiredTargets({ ...options, settings, bundles }),
        proveReachable: (signal) => proveReachable(renewal.current, signal),
        fetchSnapshot: async (signal) => connected().fetchDecisions(signal),
        sendReported: async (reported) => connected().sendReported(reported),
        log,
      }),
    );
    const opened = desired;
    link = resources.use(
      MqttControllerLink.start({
        identity: () => renewal.current,
        bootId,
        agentVersion,
        log,
        handlers: {
          onConnected: () => {
            sender.onConnected();
            opened.onConnected();
            bundles.onConnected();
          },
          onDisconnected: () => sender.onDisconnected(),
          onAck: (ack) => sender.onAck(ack),
          onPolicy: (jws) => opened.onPolicy(jws),
          onDecisions: (jws) => opened.onDecisions(jws),
        },
      }),
    );
    return new ControllerSide(link, sender, opened, bundles, settings, resources.move());
  }

  /** There is something new in the outbox. */
  wake(): void {
    this.#sender.wake();
  }

  /** The figures of this moment; lost where nobody listens, for the next ones follow. */
  sendHealth(health: Health): void {
    if (this.#link.connected) this.#link.sendHealth(health).catch(() => undefined);
  }

  /** What is to be guarded under the policy; undefined until there is one. */
  guardSettings(): AgentConfig['guard'] | undefined {
    return this.#settings.guard;
  }

  /** A decision began or ended: what is in force is not what was reported. */
  decisionsChanged(): void {
    this.#desired.onFactsChanged();
  }

  /** Which bundle is wanted, and how far that is. */
  get bundle(): BundleReported {
    return this.#bundles.reported;
  }

  get bundlesRefused(): number {
    return this.#bundles.refused;
  }

  /** Changes of the policy that a restart would not know of. */
  get policyUnsaved(): number {
    return this.#desired.unsaved;
  }

  /** For people. */
  describe(): string {
    const { state } = this.#link;
    return 'reason' in state ? `${state.kind}: ${state.reason}` : state.kind;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
