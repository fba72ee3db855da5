/** The agent's own link and outbox against the controller's own broker: who is there, what arrives, who is shut out. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EventBatch, EventBody } from '../../shared/src/contract/envelope.ts';
import { newId, type BootId } from '../../shared/src/contract/identifiers.ts';
import { OutboxSender } from '../../agent/src/report/outbox-sender.ts';
import { Outbox } from '../../agent/src/report/outbox.ts';
import { eventually } from '../../models/range/running-program.ts';
import { WorkingTime } from '../working-time.ts';
import { actor, hall, quiet, startAgent, TestFleet } from './test-fleet.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: TestFleet;
beforeEach(async () => {
  place = await TestFleet.start();
});
afterEach(() => place[Symbol.asyncDispose]());

test('presence follows the connection: greeting and goodbye', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  {
    await using agent = startAgent(identity);
    await place.statusIs('online');
    expect(agent.link.state).toEqual({ kind: 'connected' });
  }
  await place.statusIs('offline');
});

test('the will of an old connection does not undo the greeting of the new one', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  await using agent = startAgent(identity);
  await place.statusIs('online');
  const { boot_id } = await place.fleet.gateways.get(hall);
  const late = { boot_id: boot_id as BootId, agent_version: '0.1.0', protocol: 1, online: false };
  await place.fleet.gateways.takePresence(hall, { ...late, at: new Date(Date.now() - 60_000).toISOString() });
  await place.fleet.gateways.takePresence(hall, { ...late, boot_id: newId() as BootId, at: new Date().toISOString() });
  expect((await place.fleet.gateways.get(hall)).status).toBe('online');
  expect(agent.link.connected).toBe(true);
});

test('events reach the controller once, in order, and leave the outbox only then', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  using outbox = Outbox.open({ path: join(place.folder, 'outbox.db'), maxBytes: 1e7, maxAgeMs: 1e9, log: quiet });
  outbox.add(devices(0, 1200));
  let sender: OutboxSender | undefined = undefined;
  await using agent = startAgent(identity, () => sender as unknown as OutboxSender);
  using started = new OutboxSender({
    outbox,
    bootId: newId() as BootId,
    send: (batch: EventBatch) => agent.link.sendBatch(batch),
    log: quiet,
  });
  sender = started;
  await eventually(
    async () => outbox.stats().rows,
    (rows) => rows === 0,
    60_000,
  );
  outbox.add(devices(1200, 1300));
  started.wake();
  await eventually(
    async () => outbox.stats().rows,
    (rows) => rows === 0,
    60_000,
  );
  expect(place.stored.map((row) => row.seq)).toEqual(Array.from({ length: 1300 }, (_, index) => index + 1));
});

function devices(from: number, to: number): Extract<EventBody, { kind: 'device' }>[] {
  return Array.from({ length: to - from }, (_, index) => ({
    kind: 'device',
    body: {
      device: { address: `10.0.${Math.floor((from + index) / 250)}.${((from + index) % 250) + 1}`, mac: null },
      at: new Date().toISOString(),
      source: 'simulated',
    },
  }));
}

test('a revoked gateway is dropped within five seconds and stays out, at the broker and at the door', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  await using agent = startAgent(identity);
  await place.statusIs('online');
  using working = WorkingTime.start();
  await place.fleet.gateways.revoke(hall, actor);
  await eventually(
    async () => agent.disconnects.length,
    (count) => count > 0,
    60_000,
  );
  expect(working.ms).toBeLessThan(5000);
  await eventually(
    async () => agent.link.state,
    (state) => state.kind === 'refused',
    60_000,
  );
  await expect(agent.link.fetchDecisions(AbortSignal.timeout(60_000))).rejects.toThrow(/403/);
  expect((await place.fleet.gateways.get(hall)).status).toBe('revoked');
});

test('a revocation by another controller is noticed within five seconds', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  await using agent = startAgent(identity);
  await place.statusIs('online');
  const now = new Date().toISOString();
  using working = WorkingTime.start();
  await place.database.writer.updateTable('certificates').set({ revoked_at: now }).execute();
  await eventually(
    async () => agent.disconnects.length,
    (count) => count > 0,
    60_000,
  );
  expect(working.ms).toBeLessThan(5000);
  await expect(agent.link.fetchDecisions(AbortSignal.timeout(60_000))).rejects.toThrow(/403/);
});
