import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import { decision as decisionOf } from '../testing/decisions.ts';
import { TwinGateway } from '../testing/twin-gateway.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

const minute = 60_000;
const decision = (value: string): Decision => decisionOf({ value });

let gateway: TwinGateway;
beforeEach(async () => {
  gateway = await TwinGateway.create();
});
afterEach(() => gateway[Symbol.dispose]());

test('the log is verified only while the kernel holds what came from it, and says so by itself once it does', async () => {
  await using twin = await gateway.start();
  const [first, second] = [decision('192.0.2.1'), decision('192.0.2.2')];
  gateway.missing = new Set([first.id, newId()]); // another one is the gateway's own
  twin.desired.onDecisions(
    await gateway.delta(
      0,
      [first, second].map((each) => ({ op: 'add', decision: each })),
    ),
  );
  await vi.waitFor(
    () => expect(gateway.link.reported.at(-1)?.decisions).toMatchObject({ version: 2, step: 'applied' }),
    patience,
  );
  expect(twin.reported.decisions.detail).toBe('1 not in the kernel yet');
  gateway.missing = new Set([newId()]);
  twin.desired.onFactsChanged();
  await vi.waitFor(
    () => expect(gateway.link.reported.at(-1)?.decisions).toMatchObject({ version: 2, step: 'verified', detail: null }),
    patience,
  );
});

test('on a gateway whose clock is late no decision lasts longer; where it is fast, what is left out is told', async () => {
  await using twin = await gateway.start();
  const [late, inTime, over] = [decision('192.0.2.1'), decision('192.0.2.2'), decision('192.0.2.3')];
  const shifted = (each: Decision, byMs: number): Decision => ({
    ...each,
    created_at: new Date(Date.parse(each.created_at) + byMs).toISOString(),
    expires_at: new Date(Date.parse(each.expires_at) + byMs).toISOString(),
  });
  twin.desired.onDecisions(await gateway.delta(0, [{ op: 'add', decision: inTime }]));
  const days = 2 * 24 * 60 * minute;
  const ahead = {
    issued_at: new Date(Date.now() + days + minute).toISOString(), // sent again, a minute after it was made
    type: 'delta',
    from_version: 1,
    version: 2,
    changes: [{ op: 'add', decision: shifted(late, days) }],
  };
  twin.desired.onDecisions(await gateway.aboutDecisions(ahead));
  await vi.waitFor(
    () => expect(twin.reported.decisions).toMatchObject({ version: 2, step: 'verified', detail: null }),
    patience,
  );
  const leftMs = (id: string): number => Date.parse(gateway.held.get(id)?.expires_at ?? '') - Date.now();
  expect(leftMs(late.id)).toBeLessThanOrEqual(9 * minute);
  expect(leftMs(late.id)).toBeGreaterThan(5 * minute);
  expect(gateway.held.get(inTime.id)).toEqual(inTime);

  const sentAgo = 30 * minute;
  const message = {
    issued_at: new Date(Date.now() - sentAgo).toISOString(),
    type: 'delta',
    from_version: 2,
    version: 3,
    changes: [{ op: 'add', decision: shifted(over, -sentAgo) }],
  };
  twin.desired.onDecisions(await gateway.aboutDecisions(message));
  await vi.waitFor(() => expect(twin.reported.decisions).toMatchObject({ version: 3, step: 'verified' }), patience);
  expect(twin.reported.decisions.detail).toBe('1 had run out when they came; is the clock of this gateway right?');
  expect(gateway.held.has(over.id)).toBe(false);
});

test('deltas follow one another; one that was heard before changes nothing', async () => {
  await using twin = await gateway.start();
  const [first, second] = [decision('192.0.2.1'), decision('192.0.2.2')];
  const one = await gateway.delta(0, [{ op: 'add', decision: first }]);
  twin.desired.onDecisions(one);
  twin.desired.onDecisions(
    await gateway.delta(1, [
      { op: 'add', decision: second },
      { op: 'delete', decision_id: first.id },
    ]),
  );
  twin.desired.onDecisions(one);
  await vi.waitFor(() => expect(twin.reported.decisions).toMatchObject({ version: 3, step: 'verified' }), patience);
  expect([...gateway.held.keys()]).toEqual([second.id]);
});

test('a missed delta is made good by the snapshot, which takes back what came from the controller and nothing else', async () => {
  const [first, second, own] = [decision('192.0.2.1'), decision('192.0.2.2'), decision('192.0.2.3')];
  {
    await using twin = await gateway.start();
    twin.desired.onDecisions(await gateway.delta(0, [{ op: 'add', decision: first }]));
    await vi.waitFor(() => expect(gateway.held.size).toBe(1), patience);
    gateway.held.set(own.id, own);
  }
  await using twin = await gateway.start();
  gateway.link.snapshot = await gateway.aboutDecisions({
    type: 'snapshot',
    version: 7,
    decisions: [second],
    lifted: [newId()],
  });
  twin.desired.onDecisions(await gateway.delta(5, [{ op: 'add', decision: decision('192.0.2.9') }]));
  await vi.waitFor(() => expect(twin.reported.decisions).toMatchObject({ version: 7, step: 'verified' }), patience);
  expect(new Set(gateway.held.keys())).toEqual(new Set([own.id, second.id]));
  expect(gateway.lifted).toContain(first.id);
});

test('a head beyond what we have asks for the snapshot until the door opens', async () => {
  await using twin = await gateway.start();
  gateway.link.snapshot = undefined;
  twin.desired.onDecisions(await gateway.aboutDecisions({ type: 'head', version: 2 }));
  await vi.waitFor(() => expect(gateway.link.fetches).toBeGreaterThan(1), patience);
  gateway.link.snapshot = await gateway.aboutDecisions({
    type: 'snapshot',
    version: 2,
    decisions: [decision('192.0.2.1')],
    lifted: [],
  });
  await vi.waitFor(() => expect(twin.reported.decisions).toMatchObject({ version: 2, in_force: 1 }), patience);
});

test('a log that went backwards is refused, for a restored backup must not undo blocks', async () => {
  await using twin = await gateway.start();
  twin.desired.onDecisions(await gateway.delta(0, [{ op: 'add', decision: decision('192.0.2.1') }]));
  twin.desired.onDecisions(await gateway.aboutDecisions({ type: 'head', version: 0 }));
  await vi.waitFor(() => expect(twin.reported.decisions).toMatchObject({ version: 1, step: 'refused' }), patience);
  expect(twin.reported.decisions.detail).toMatch(/restored from a backup/);
  expect(gateway.held.size).toBe(1);
});

test('a snapshot over the broker is refused: only our own question may be answered by one', async () => {
  await using twin = await gateway.start();
  twin.desired.onDecisions(await gateway.aboutDecisions({ type: 'snapshot', version: 9, decisions: [], lifted: [] }));
  await vi.waitFor(() => expect(twin.reported.decisions.step).toBe('refused'), patience);
});
