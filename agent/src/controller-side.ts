/** Everything of the agent that exists only because there is a controller: certificate, link, sender, twin. */
import type { Logger } from 'pino';
import type { Health } from '@picket/shared/contract/gateway';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { AgentConfig } from './config/agent-config.ts';
import { CertificateRenewal } from './identity/certificate-renewal.ts';
import type { GatewayIdentity } from './identity/gateway-identity.ts';
import { MqttControllerLink } from './report/mqtt-controller-link.ts';
import type { Outbox } from './report/outbox.ts';
import { OutboxSender } from './report/outbox-sender.ts';
import type { Reporter } from './report/reporter.ts';
import { agentVersion } from './version.ts';
import type { Watch } from './watch.ts';

export interface ControllerSideOptions {
  readonly config: AgentConfig;
  readonly identity: GatewayIdentity;
  readonly bootId: BootId;
  readonly outbox: Outbox;
  readonly reporter: Reporter;
  readonly watch: Watch;
  readonly log: Logger;
}

export class ControllerSide implements AsyncDisposable {
  readonly #link: MqttControllerLink;
  readonly #sender: OutboxSender;
  readonly #resources: AsyncDisposableStack;

  private constructor(link: MqttControllerLink, sender: OutboxSender, resources: AsyncDisposableStack) {
    this.#link = link;
    this.#sender = sender;
    this.#resources = resources;
  }

  /** Returns at once: the controller may be away for days. */
  static async start(options: ControllerSideOptions): Promise<ControllerSide> {
    await using resources = new AsyncDisposableStack();
    const { identity, bootId, outbox, log } = options;
    const renewal = resources.use(CertificateRenewal.start(identity, { stateDir: options.config.state_dir, log }));
    const sender = resources.use(new OutboxSender({ outbox, bootId, send: (batch) => link.sendBatch(batch), log }));
    const link = resources.use(
      MqttControllerLink.start({
        identity: () => renewal.current,
        bootId,
        agentVersion,
        log,
        handlers: {
          onConnected: () => sender.onConnected(),
          onDisconnected: () => sender.onDisconnected(),
          onAck: (ack) => sender.onAck(ack),
          onPolicy: () => undefined,
          onDecisions: () => undefined,
        },
      }),
    );
    return new ControllerSide(link, sender, resources.move());
  }

  /** There is something new in the outbox. */
  wake(): void {
    this.#sender.wake();
  }

  /** The figures of this moment; lost where nobody listens, for the next ones follow. */
  sendHealth(health: Health): void {
    if (this.#link.connected) this.#link.sendHealth(health).catch(() => undefined);
  }

  /** What the policy says of the guard; undefined until there is one. */
  guardSettings(): AgentConfig['guard'] | undefined {
    return undefined;
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
