/**
 * What the controller hears. Alerts, decisions and devices always; flows and predictions in full while a device is under
 * attack and as a small sample otherwise; everything else as counters per device and minute.
 */
import type { Alert } from '@picket/shared/contract/alert';
import type { TrafficSource } from '@picket/shared/contract/address';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import type { EventBody } from '@picket/shared/contract/envelope';
import { FlowEnd } from '@picket/shared/contract/flow';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Prediction } from '@picket/shared/contract/prediction';
import { windowLength } from '@picket/shared/features/feature-schema';
import type { FlowRole } from '../devices/device.ts';
import type { DeviceSighting } from '../devices/sightings.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import type { WindowContext } from '../window/window-context.ts';
import { instantOf } from '../window/packet-time.ts';
import { flowOfRow, flowOfWindow, volumeOf } from './flow-event.ts';
import { MinuteCounting } from './minute-counters.ts';

/** Where events go: the outbox, or a terminal. */
export type EventSink = (events: readonly Exclude<EventBody, { kind: 'gap' }>[]) => void;

export interface ReporterOptions {
  readonly bootId: BootId;
  readonly source: TrafficSource;
  readonly sink: EventSink;
  /** Share of benign flows and predictions to report in full, 0 to 1. */
  readonly benignSample: number;
  /** False while memory or time is short: only alerts, decisions, devices and counters are reported then. */
  readonly mayReportInFull: () => boolean;
}

/** Flows of scored windows whose latest copy was already sent; a window shares nine flows with the one before. */
const rememberedFlows = 4096;
const reportCode = FlowEnd.options.indexOf('report');

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #counting: MinuteCounting;
  readonly #sent = new Set<string>();
  #benignSample: number;
  #withheld = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#counting = new MinuteCounting(options.source);
    this.#benignSample = options.benignSample;
  }

  /** Flows and predictions that were not reported for want of memory or time. */
  get withheld(): number {
    return this.#withheld;
  }

  useBenignSample(share: number): void {
    this.#benignSample = share;
  }

  /** `isRelayed`: as the registry says. */
  onFlow(batch: FlowBatch, row: number, role: FlowRole, isRelayed: boolean): void {
    const { bootId, source, sink } = this.#options;
    this.#advance(batch.lastPacketAtUs[row]!);
    if (batch.end[row] !== reportCode) {
      const { packets, bytes } = volumeOf(batch, row);
      this.#counting.addFlow(role.device, packets, bytes);
    }
    if (this.#isSampled(batch.flowNumber[row]!) && this.#mayReport()) {
      const owner = { device: role.device, direction: role.direction, source, isRelayed };
      sink([{ kind: 'flow', body: flowOfRow(batch, row, owner, bootId) }]);
    }
  }

  onDevice({ device, atUs }: DeviceSighting): void {
    const { sink, source } = this.#options;
    sink([{ kind: 'device', body: { device, at: instantOf(atUs), source } }]);
  }

  /**
   * `features`: the window, 10 × 78, present flows in the last slots. `isEvidence`: an alert may rest on it though the
   * network took it for benign.
   */
  onPrediction(prediction: Prediction, context: WindowContext, features: Float32Array, isEvidence = false): void {
    const isAttack = prediction.label === 'attack';
    const isTold = isAttack || isEvidence;
    this.#counting.addPrediction(context.device, prediction.score, isAttack);
    const newest = context.flows.at(-1);
    if (!isTold && !(newest !== undefined && this.#isSampled(newest.flowNumber))) return;
    if (!this.#mayReport()) return;
    const events: Parameters<EventSink>[0][number][] = [{ kind: 'prediction', body: prediction }];
    if (isTold) events.push(...this.#flowsOf(context, features));
    this.#options.sink(events);
  }

  onAlert(alert: Alert): void {
    this.#options.sink([{ kind: 'alert', body: alert }]);
  }

  onDecision(event: DecisionEvent): void {
    this.#options.sink([{ kind: 'decision', body: event }]);
  }

  onUnblock(proof: UnblockProof): void {
    this.#options.sink([{ kind: 'unblock', body: proof }]);
  }

  /** The counters of the running minute, at the end of the input. */
  finish(): void {
    this.#sendCounters(this.#counting.close());
  }

  *#flowsOf(
    context: WindowContext,
    features: Float32Array,
  ): Generator<{ kind: 'flow'; body: ReturnType<typeof flowOfWindow> }> {
    const { bootId } = this.#options;
    const firstSlot = windowLength - context.flows.length;
    for (const [index, flow] of context.flows.entries()) {
      const name = `${flow.flowNumber}.${flow.reportNumber}`;
      if (this.#sent.has(name)) continue;
      this.#sent.add(name);
      yield { kind: 'flow', body: flowOfWindow(flow, features, firstSlot + index, context, bootId) };
    }
    for (const oldest of this.#sent) {
      if (this.#sent.size <= rememberedFlows) break;
      this.#sent.delete(oldest);
    }
  }

  /** By the flow's number, so that all reports of one flow share its lot. */
  #isSampled(flowNumber: number): boolean {
    return Math.imul(flowNumber, 0x9e3779b1) >>> 0 < this.#benignSample * 0x1_0000_0000;
  }

  #mayReport(): boolean {
    const may = this.#options.mayReportInFull();
    if (!may) this.#withheld += 1;
    return may;
  }

  #advance(atUs: number): void {
    this.#sendCounters(this.#counting.advance(atUs));
  }

  #sendCounters(counters: ReturnType<MinuteCounting['close']>): void {
    if (counters.length > 0) this.#options.sink(counters.map((body) => ({ kind: 'counters', body })));
  }
}
