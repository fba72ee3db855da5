/** Which part of the history an event belongs to: the events of a batch, each handed to whom it concerns. */
import type { DeviceRef } from '@picket/shared/contract/address';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import type { AlertService } from '../alerts/alert-service.ts';
import type { ReportedAlert } from '../alerts/stored-alert.ts';
import type { Executor } from '../database/executor.ts';
import type { DecisionReports, ReportedDecision } from '../decisions/take-decision-reports.ts';
import type { DeviceDiscovery, Sighting } from '../devices/device-discovery.ts';
import type { LiveMessage } from '../live/live-message.ts';
import type { PredictionService, ReportedCounters, ReportedPrediction } from '../predictions/prediction-service.ts';
import type { FlowService, ReportedFlow } from '../traffic/flow-service.ts';
import type { UnblockService } from '../unblocks/unblock-service.ts';
import type { StorableEvent } from './batch-order.ts';

export interface EventStoreParts {
  readonly devices: DeviceDiscovery;
  readonly flows: FlowService;
  readonly predictions: PredictionService;
  readonly alerts: AlertService;
  readonly decisions: DecisionReports;
  readonly unblocks: UnblockService;
}

interface Reported {
  readonly flows: ReportedFlow[];
  readonly predictions: ReportedPrediction[];
  readonly alerts: ReportedAlert[];
  readonly decisions: ReportedDecision[];
  readonly unblocks: UnblockProof[];
  readonly counters: ReportedCounters[];
}

export class EventStores {
  readonly #parts: EventStoreParts;

  constructor(parts: EventStoreParts) {
    this.#parts = parts;
  }

  /** Within the batch's transaction; returns what is to be told live after its commit. */
  async store(executor: Executor, gatewayId: GatewayId, events: readonly StorableEvent[]): Promise<LiveMessage[]> {
    if (events.length === 0) return [];
    const { devices, flows, predictions, alerts, decisions, unblocks } = this.#parts;
    const known = await devices.seen(executor, gatewayId, events.flatMap(sightingOf));
    const deviceOf = (ref: DeviceRef): { id: string; name: string } => {
      const device = known.get(ref.address);
      if (device === undefined) throw new Error(`device ${ref.address} of ${gatewayId} vanished within a transaction`);
      return device;
    };
    const reported = { flows: [], predictions: [], alerts: [], decisions: [], unblocks: [], counters: [] } as Reported;
    for (const { event, at } of events) {
      switch (event.kind) {
        case 'flow':
          reported.flows.push({ flow: event.body, at, deviceId: deviceOf(event.body.device).id });
          break;
        case 'prediction':
          reported.predictions.push({ prediction: event.body, at, device: deviceOf(event.body.device) });
          break;
        case 'alert':
          reported.alerts.push({ alert: event.body, at, device: deviceOf(event.body.device) });
          break;
        case 'decision':
          reported.decisions.push({ event: event.body, at });
          break;
        case 'unblock':
          reported.unblocks.push(event.body);
          break;
        case 'counters':
          reported.counters.push({ counters: event.body, at, deviceId: deviceOf(event.body.device).id });
          break;
        case 'device':
          break; // seen already, above
      }
    }
    await flows.store(executor, gatewayId, reported.flows);
    await predictions.count(executor, gatewayId, reported.counters);
    return [
      ...(await predictions.store(executor, gatewayId, reported.predictions)),
      ...(await alerts.store(executor, gatewayId, reported.alerts)),
      ...(await decisions.store(executor, gatewayId, reported.decisions)),
      ...(await unblocks.store(executor, gatewayId, reported.unblocks)),
    ];
  }
}

function sightingOf({ event, at }: StorableEvent): Sighting[] {
  if (event.kind === 'decision' || event.kind === 'unblock') return [];
  const { device, source } = event.body;
  return [{ address: device.address, mac: device.mac, at, source }];
}
