import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBatch, EventBody } from '@picket/shared/contract/envelope';
import { EventBatch as EventBatchSchema } from '@picket/shared/contract/envelope';
import { newId } from '@picket/shared/contract/identifiers';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import { Outbox } from './outbox.ts';
import type { OutboxOptions } from './outbox.ts';
import { OutboxSender } from './outbox-sender.ts';

const bootId = newId() as BootId;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
let folder: string;
let clock = 1_700_000_000_000;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-outbox-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(more: { maxBytes?: number; maxAgeMs?: number; log?: OutboxOptions['log'] } = {}): Outbox {
  return Outbox.open({
    path: join(folder, 'outbox.db'),
    maxBytes: 1e8,
    maxAgeMs: 1e9,
    log: quiet,
    now: () => clock,
    ...more,
  });
}

type Reported = Exclude<EventBody, { kind: 'gap' }>;

function device(index: number): Reported {
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    kind: 'device',
    body: { device: { address, mac: null }, at: new Date(clock).toISOString(), source: 'simulated' },
  };
}

function counters(index: number): Reported {
  return {
    kind: 'counters',
    body: {
      device: { address: `10.0.0.${index % 256}`, mac: null },
      minute: new Date(clock).toISOString(),
      flows: index,
      packets: 0,
      bytes: 0,
      predictions: 0,
      attacks: 0,
      max_score: 0,
      source: 'simulated',
    },
  };
}

const many = (count: number, make: (index: number) => Reported): Reported[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Acknowledges batch by batch; every sequence number must be there, once, or be named by a gap. */
function drain(outbox: Outbox, channel: EventChannel): { events: number; lost: number; batches: EventBatch[] } {
  const batches: EventBatch[] = [];
  let next: number | undefined;
  let [events, lost] = [0, 0];
  for (let batch = outbox.nextBatch(channel, bootId); batch !== undefined; batch = outbox.nextBatch(channel, bootId)) {
    expect(EventBatchSchema.parse(batch)).toEqual(batch);
    expect(JSON.stringify(batch).length).toBeLessThanOrEqual(256 * 1024);
    for (const { seq, event } of batch.events) {
      const from = event.kind === 'gap' ? event.body.from_seq : seq;
      expect(from).toBe(next ?? from);
      if (event.kind === 'gap') lost += event.body.dropped;
      else events += 1;
      next = seq + 1;
    }
    batches.push(batch);
    outbox.acknowledge({ epoch: batch.epoch, channel, upto: (next ?? 1) - 1 });
    if (batches.length > 1000) throw new Error('the outbox does not empty');
  }
  return { events, lost, batches };
}

test('what was added comes out in order, in batches that fit a message, across a restart', () => {
  {
    using outbox = open();
    outbox.add(many(1234, device));
    outbox.add([counters(1)]);
  }
  using outbox = open();
  expect(outbox.stats()).toMatchObject({ rows: 1235, dropped: 0 });
  const { events, batches } = drain(outbox, 'devices');
  expect(events).toBe(1234);
  expect(Math.max(...batches.map((batch) => batch.events.length))).toBe(500);
  expect(drain(outbox, 'counters').events).toBe(1);
  expect(outbox.stats()).toEqual({ rows: 0, bytes: 0, dropped: 0, oldest_age_seconds: 0 });
});

test('sequence numbers go on after everything was acknowledged and the agent started again', () => {
  {
    using outbox = open();
    outbox.add(many(3, device));
    drain(outbox, 'devices');
  }
  using outbox = open();
  outbox.add([device(9)]);
  expect(outbox.nextBatch('devices', bootId)?.events[0]?.seq).toBe(4);
});

test('a full outbox gives up the least important channel first, oldest first, and says how much is gone', () => {
  using outbox = open({ maxBytes: 60_000 });
  outbox.add(many(100, device));
  outbox.add(many(500, counters));
  expect(outbox.stats().bytes).toBeLessThanOrEqual(60_000);
  expect(outbox.waiting('devices')).toBe(100);
  const { dropped } = outbox.stats();
  expect(dropped).toBeGreaterThan(0);
  expect(drain(outbox, 'devices')).toMatchObject({ events: 100, lost: 0 });
  expect(drain(outbox, 'counters')).toMatchObject({ events: 500 - dropped, lost: dropped });
});

test('what is in flight is never dropped, so that an acknowledgement never covers a loss', () => {
  using outbox = open({ maxBytes: 40_000 });
  outbox.add(many(100, device));
  const first = outbox.nextBatch('devices', bootId);
  for (let round = 0; round < 20; round += 1) outbox.add(many(100, device));
  expect(first?.events.every(({ event }) => event.kind === 'device')).toBe(true);
  outbox.release('devices');
  expect(outbox.nextBatch('devices', bootId)?.events.slice(0, 100)).toEqual(first?.events);
});

test('what is too old goes, and leaves a gap', () => {
  using outbox = open({ maxAgeMs: 60_000 });
  outbox.add(many(10, device));
  clock += 120_000;
  outbox.add(many(5, device));
  expect(drain(outbox, 'devices')).toMatchObject({ events: 5, lost: 10 });
  expect(outbox.stats().dropped).toBe(10);
});

test('an acknowledgement of another file is ignored', () => {
  using outbox = open();
  outbox.add(many(3, device));
  expect(outbox.acknowledge({ epoch: newId(), channel: 'devices', upto: 3 })).toBe(false);
  expect(outbox.stats().rows).toBe(3);
});

test('an old copy of the file begins a new epoch instead of losing what it holds', () => {
  using outbox = open({ maxBytes: 3000 });
  outbox.add(many(50, device));
  const before = outbox.epoch;
  const { dropped } = outbox.stats();
  const held = outbox.waiting('devices');
  outbox.acknowledge({ epoch: before, channel: 'devices', upto: 1_000_000 });
  expect(outbox.epoch).not.toBe(before);
  expect(outbox.waiting('devices')).toBe(held);
  const { events, lost, batches } = drain(outbox, 'devices');
  expect({ events, lost }).toEqual({ events: held - 1, lost: dropped });
  expect(batches[0]?.epoch).toBe(outbox.epoch);
});

test('a corrupt file is put aside, and the outbox begins anew', () => {
  {
    using outbox = open();
    outbox.add(many(3, device));
  }
  const path = join(folder, 'outbox.db');
  writeFileSync(path, 'this is no database'.repeat(1000));
  const said: object[] = [];
  using outbox = open({ log: { ...quiet, error: (details?: object) => void said.push(details ?? {}) } });
  expect(existsSync(`${path}.corrupt`)).toBe(true);
  expect(said).toHaveLength(1);
  outbox.add([device(1)]);
  expect(drain(outbox, 'devices').events).toBe(1);
});

test('two agents never share one outbox', () => {
  using outbox = open();
  outbox.add([device(1)]);
  expect(() => open()).toThrow(/another agent uses/);
});

test('an event that no message could carry is counted, not kept', () => {
  using outbox = open();
  const huge = { ...device(1), body: { ...device(1).body, source: 'x'.repeat(100_000) } } as unknown as Reported;
  outbox.add([huge, device(2)]);
  expect(drain(outbox, 'devices')).toMatchObject({ events: 1, lost: 1 });
});

type Step = {
  readonly do: 'add' | 'counters' | 'send' | 'ack' | 'release' | 'restart' | 'age';
  readonly count: number;
};

test('whatever happens in whatever order, every event is acknowledged once or named as lost', () => {
  const step = fc.record<Step>({
    do: fc.constantFrom('add', 'add', 'counters', 'send', 'ack', 'release', 'restart', 'age'),
    count: fc.integer({ min: 1, max: 120 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      rmSync(join(folder, 'outbox.db'), { force: true });
      let outbox = open({ maxBytes: 20_000, maxAgeMs: 60_000 });
      let added = 0;
      const received = new Map<number, boolean>();
      let inFlight: EventBatch | undefined;
      const take = (batch: EventBatch): void => {
        for (const { seq, event } of batch.events) {
          const from = event.kind === 'gap' ? event.body.from_seq : seq;
          for (let number = from; number <= seq; number += 1)
            if (!received.has(number)) received.set(number, event.kind !== 'gap');
        }
        outbox.acknowledge({ epoch: batch.epoch, channel: 'devices', upto: batch.events.at(-1)?.seq ?? 0 });
      };
      for (const { do: what, count } of steps) {
        if (what === 'add') outbox.add(many(count, device));
        if (what === 'add') added += count;
        if (what === 'counters') outbox.add(many(count, counters));
        if (what === 'send' && inFlight === undefined) inFlight = outbox.nextBatch('devices', bootId);
        if (what === 'ack' && inFlight !== undefined) take(inFlight);
        if (what === 'release') outbox.release('devices');
        if (what === 'ack' || what === 'release') inFlight = undefined;
        if (what === 'age') clock += count * 1000;
        if (what === 'restart') {
          outbox[Symbol.dispose]();
          outbox = open({ maxBytes: 20_000, maxAgeMs: 60_000 });
          inFlight = undefined;
        }
      }
      outbox.release('devices');
      for (
        let batch = outbox.nextBatch('devices', bootId);
        batch !== undefined;
        batch = outbox.nextBatch('devices', bootId)
      )
        take(batch);
      outbox[Symbol.dispose]();
      expect([...received.keys()].toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: added }, (_, index) => index + 1),
      );
    }),
    { numRuns: 60 },
  );
});

test('a batch without an acknowledgement is sent again, the same, until there is one', async () => {
  using outbox = open();
  outbox.add(many(3, device));
  const sent: EventBatch[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  using sender = new OutboxSender({
    outbox,
    bootId,
    ackTimeoutMs: 10,
    log: quiet,
    send: async (batch) => {
      sent.push(batch);
      if (sent.length === 3) resolve();
      if (sent.length === 2) throw new Error('the link broke');
    },
  });
  sender.onConnected();
  await promise;
  expect(sent[2]).toEqual(sent[0]);
  sender.onAck({ epoch: outbox.epoch, channel: 'devices', upto: 3 });
  expect(outbox.stats().rows).toBe(0);
  expect(sender.repeated).toBeGreaterThanOrEqual(2);
});
