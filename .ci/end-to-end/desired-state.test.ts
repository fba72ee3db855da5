/** What the controller's twin wants of a gateway, as it arrives at the agent's link: policies and the log of decisions. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newId, type DecisionId } from '../../shared/src/contract/identifiers.ts';
import { decision } from '../../agent/src/testing/decisions.ts';
import { eventually } from '../../models/range/running-program.ts';
import { actor, hall, payloadOf, startAgent, TestFleet } from './test-fleet.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: TestFleet;
beforeEach(async () => {
  place = await TestFleet.start();
});
afterEach(() => place[Symbol.asyncDispose]());

test('a gateway gets its policy at once, a new version for a change, and the same one again after a restart', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  await using agent = startAgent(identity);
  const latest = async (): Promise<ReturnType<typeof payloadOf>> => payloadOf(agent.policies.at(-1));
  expect(await eventually(latest, (policy) => policy?.version === 1, 60_000)).toMatchObject({
    audience: hall,
    mode: 'simulate',
  });
  await place.fleet.gateways.change(hall, { mode: 'enforce' }, undefined, actor);
  expect(await eventually(latest, (policy) => policy?.version === 2, 60_000)).toMatchObject({ mode: 'enforce' });
  await place.restart(() => agent.policies.splice(0));
  expect(await eventually(latest, (policy) => policy !== undefined, 60_000)).toMatchObject({
    version: 2,
    mode: 'enforce',
  });
});

test('decisions go out as deltas, the head tells a gateway that comes back, the snapshot holds what holds', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  const first = decision({ value: '192.0.2.1' });
  const second = decision({ value: '192.0.2.2' });
  {
    await using agent = startAgent(identity);
    await place.statusIs('online');
    await place.fleet.twin.publish(hall, [{ op: 'add', decision: first }]);
    await place.fleet.twin.publish(hall, [{ op: 'add', decision: first }]); // the same again does no harm
    const delta = await eventually(
      async () => agent.decisions.map(payloadOf).find((message) => message?.['type'] === 'delta'),
      (message) => message !== undefined,
      60_000,
    );
    expect(delta).toMatchObject({ from_version: 0, version: 1, changes: [{ op: 'add', decision: first }] });
  }
  await place.fleet.twin.publish(hall, [
    { op: 'add', decision: second },
    { op: 'delete', decision_id: first.id },
    { op: 'delete', decision_id: newId() as DecisionId },
  ]);
  await using agent = startAgent(identity);
  const head = await eventually(
    async () => agent.decisions.map(payloadOf).find((message) => message?.['type'] === 'head'),
    (message) => message !== undefined,
    60_000,
  );
  expect(head).toMatchObject({ version: 4 });
  const snapshot = payloadOf(await agent.link.fetchDecisions(AbortSignal.timeout(60_000)));
  expect(snapshot).toMatchObject({ type: 'snapshot', version: 4, decisions: [second] });
  expect(snapshot?.['lifted']).toHaveLength(1);
});
