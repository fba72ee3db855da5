/** PORT. The way to the controller. It may be away for days; nothing here waits for it. */
import type { Ack, EventBatch } from '@picket/shared/contract/envelope';
import type { Health } from '@picket/shared/contract/gateway';
import type { Reported } from '@picket/shared/contract/twin';

export interface LinkHandlers {
  /** The controller is reachable (again): send what is waiting. */
  onConnected(): void;
  onDisconnected(reason: string): void;
  onAck(ack: Ack): void;
  /** Compact JWS as received; the twin verifies it. */
  onPolicy(jws: string): void;
  onDecisions(jws: string): void;
}

export interface ControllerLink extends AsyncDisposable {
  readonly connected: boolean;
  /** Resolves when the broker took it, which is not yet the controller's acknowledgement. */
  sendBatch(batch: EventBatch): Promise<void>;
  sendReported(reported: Reported): Promise<void>;
  sendHealth(health: Health): Promise<void>;
  /** GET /api/v1/agent/decisions on the HTTPS door: the signed snapshot, compact JWS. */
  fetchDecisions(signal: AbortSignal): Promise<string>;
}
