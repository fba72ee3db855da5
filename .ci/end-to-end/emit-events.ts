/**
 * A small agent for `link.integration.test.ts`: the real outbox, sender and link, and events as fast as it can make them.
 * Each id is written to `committed.txt` after the outbox committed its event and before anything else happens.
 * Usage: emit-events.ts STATE_DIR SECONDS
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBody } from '../../shared/src/contract/envelope.ts';
import { newId } from '../../shared/src/contract/identifiers.ts';
import type { AlertId, BootId, PredictionId } from '../../shared/src/contract/identifiers.ts';
import { TrafficClass } from '../../shared/src/features/traffic-classes.ts';
import { loadIdentity } from '../../agent/src/identity/gateway-identity.ts';
import { MqttControllerLink } from '../../agent/src/report/mqtt-controller-link.ts';
import { Outbox } from '../../agent/src/report/outbox.ts';
import { OutboxSender } from '../../agent/src/report/outbox-sender.ts';
import { ReconnectPace } from '../../agent/src/report/reconnect-pace.ts';

const [stateDir = '', seconds = '0'] = process.argv.slice(2);
const identity = loadIdentity(stateDir);
if (identity === undefined) throw new Error('not enrolled');
const bootId = newId() as BootId;
const log = { info: () => {}, warn: () => {}, error: (...what: unknown[]) => console.error(...what) };
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

using outbox = Outbox.open({ path: join(stateDir, 'outbox.sqlite'), maxBytes: 1e9, maxAgeMs: 1e9, log });
using sender = new OutboxSender({ outbox, bootId, send: (batch) => link.sendBatch(batch), log, ackTimeoutMs: 500 });
await using link = MqttControllerLink.start({
  identity: () => identity,
  bootId,
  agentVersion: '0.1.0',
  pace: new ReconnectPace({ firstMs: 50, maxMs: 500 }),
  log,
  handlers: {
    onConnected: () => sender.onConnected(),
    onDisconnected: () => sender.onDisconnected(),
    onAck: (ack) => sender.onAck(ack),
    onPolicy: () => {},
    onDecisions: () => {},
  },
});

const until = Date.now() + Number(seconds) * 1000;
while (!stop.signal.aborted && Date.now() < until) {
  const at = new Date().toISOString();
  const made = [prediction(at), prediction(at), alert(at)];
  outbox.add(made.map(({ event }) => event));
  appendFileSync(join(stateDir, 'committed.txt'), made.map(({ id }) => `${id}\n`).join(''));
  sender.wake();
  await new Promise((resolve) => setTimeout(resolve, 4));
}
while (!stop.signal.aborted && outbox.stats().rows > 0) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`waiting ${outbox.stats().rows} dropped ${outbox.stats().dropped}`);

interface Made {
  readonly id: string;
  readonly event: Exclude<EventBody, { kind: 'gap' }>;
}

function prediction(at: string): Made {
  const id = newId() as PredictionId;
  const event: Made['event'] = {
    kind: 'prediction',
    body: {
      id,
      device: { address: '10.0.0.5', mac: null },
      at,
      score: 0.25,
      label: 'benign',
      class: 'benign',
      class_probabilities: TrafficClass.options.map(() => 1 / TrafficClass.options.length),
      confidence: 0.5,
      threshold: 0.5,
      model_version: 'none',
      window_key: 'device',
      flows_seen: 1,
      flow_ids: [`${bootId}.1`],
      inference_latency_ms: 0,
      source: 'simulated',
      explanation: null,
    },
  };
  return { id, event };
}

function alert(at: string): Made {
  const id = newId() as AlertId;
  const event: Made['event'] = {
    kind: 'alert',
    body: {
      id,
      revision: 0,
      alert_type: 'threshold_breach',
      is_plain: false,
      returns: 0,
      class: 'port_scan',
      severity: 'low',
      score: 0.9,
      device: { address: '10.0.0.5', mac: null },
      peer: '192.0.2.1',
      first_seen_at: at,
      last_seen_at: at,
      count: 1,
      message: 'made for a test',
      explanation: null,
      evidence: [],
      prediction_id: newId() as PredictionId,
      rule_id: null,
      decision_ids: [],
      action_taken: 'none',
      simulated: false,
      source: 'simulated',
      model_version: 'none',
    },
  };
  return { id, event };
}
