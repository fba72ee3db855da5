/** Unblocks come over the log of decisions and are answered by what the kernel says, not by its version. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newId } from '@picket/shared/contract/identifiers';
import { TwinGateway } from '../testing/twin-gateway.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

let gateway: TwinGateway;
beforeEach(async () => {
  gateway = await TwinGateway.create();
});
afterEach(() => gateway[Symbol.dispose]());

const unblock = (id: string) =>
  gateway.aboutDecisions({
    type: 'unblock',
    unblocks: [{ id, value: '192.0.2.1', include_prefixes: false, asked_at: new Date().toISOString() }],
  });

test('an unblock is done once and answered each time it is asked, after a restart too', async () => {
  const order = await unblock(newId());
  {
    await using twin = await gateway.start();
    twin.desired.onDecisions(order);
    await vi.waitFor(() => expect(gateway.proofs).toHaveLength(1), patience);
  }
  await using twin = await gateway.start();
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(gateway.proofs).toHaveLength(2), patience);
  expect(gateway.proofs[1]).toEqual(gateway.proofs[0]);
  expect(gateway.unblocks).toEqual(['192.0.2.1']);
});

test('an unblock that failed is tried again when it is asked for again', async () => {
  await using twin = await gateway.start();
  const order = await unblock(newId());
  gateway.unblockOutcome = 'failed';
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(gateway.proofs.at(-1)?.outcome).toBe('failed'), patience);
  gateway.unblockOutcome = 'released';
  twin.desired.onDecisions(order);
  await vi.waitFor(() => expect(gateway.proofs.at(-1)?.outcome).toBe('released'), patience);
});
