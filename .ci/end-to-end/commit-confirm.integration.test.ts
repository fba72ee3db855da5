/**
 * A pushed policy with real programs: confirmed over new connections, put back where it lets none through, back after a
 * kill in between; and an unblock that every gateway proves. The way to the controller refuses new connections exactly
 * while the gateway is in the mode `observe`: rules that cut it off, while what is open stays open.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentStatus } from '../../agent/src/agent.ts';
import { askAgent } from '../../agent/src/control/control-client.ts';
import { enrol } from '../../agent/src/identity/enrol.ts';
import { startTestController, type TestController } from '../../controller/src/testing/test-controller.ts';
import { RunningProgram, eventually } from '../../models/range/running-program.ts';
import { GatewayId } from '../../shared/src/contract/identifiers.ts';
import { StoredGateway } from '../../shared/src/contract/stored-gateway.ts';
import { StoredUnblock } from '../../shared/src/contract/stored-unblock.ts';
import { ChoosyProxy } from './choosy-proxy.ts';

const agentMain = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const capture = fileURLToPath(new URL('../../agent/captures/demo.pcap', import.meta.url));
const hall = GatewayId.parse('hall-1');

let place: string;
let picket: TestController;
let proxies: ChoosyProxy[];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'picket-confirm-'));
  picket = await startTestController();
  proxies = [];
});
afterEach(async () => {
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  await picket[Symbol.asyncDispose]();
  await rm(place, { recursive: true, force: true });
});

const stateDir = (): string => join(place, 'agent');
const modeOfAgent = async (): Promise<string> =>
  (await askAgent<AgentStatus>(stateDir(), 'GET', '/status').catch(() => undefined))?.mode ?? 'none';

/** Enrolled, with every way to its controller through a proxy that asks the gateway's mode. */
async function enrolHall(): Promise<void> {
  const { token } = await picket.controller.fleet.authority.createToken({
    gatewayId: hall,
    lifetimeSeconds: 60,
    createdBy: 'test',
  });
  const options = { token, gatewayId: hall, replace: false, controllerUrl: undefined, agentVersion: '0.1.0' };
  await enrol({ ...options, stateDir: stateDir() });
  const file = join(stateDir(), 'identity.json');
  const identity = JSON.parse(await readFile(file, 'utf8')) as { mqtt: { port: number }; https: { port: number } };
  for (const door of [identity.mqtt, identity.https]) {
    const proxy = await ChoosyProxy.listen(door.port, async () => (await modeOfAgent()) !== 'observe');
    proxies.push(proxy);
    door.port = proxy.port;
  }
  await writeFile(file, JSON.stringify(identity), { mode: 0o600 });
  const settings = { state_dir: stateDir(), capture: { source: 'pcap', files: [capture], speed: 0.01 } };
  await writeFile(join(place, 'agent.yaml'), JSON.stringify(settings));
}

async function startAgent(): Promise<RunningProgram> {
  const node = [process.execPath, '--no-warnings', '--conditions=@picket/source'] as const;
  const agent = RunningProgram.start([...node, agentMain, 'run', '--config', join(place, 'agent.yaml')]);
  await agent.untilPrinted(/watching/, 120_000);
  return agent;
}

async function policy(): Promise<StoredGateway['twin']['policy']> {
  const answer = await (await picket.as('viewer')).get(`/api/v1/gateways/${hall}`);
  return StoredGateway.parse(await answer.json()).twin.policy;
}

async function wish(change: object): Promise<void> {
  expect((await (await picket.as('admin')).send('PATCH', `/api/v1/gateways/${hall}`, change)).status).toBe(200);
}

test(
  'a policy is confirmed over new connections; one that lets none through is put back; a kill in between undoes it too',
  { timeout: 900_000 },
  async () => {
    await enrolHall();
    let agent = await startAgent();
    try {
      const first = await eventually(
        policy,
        ({ in_sync, reported }) => in_sync && reported?.step === 'confirmed',
        120_000,
      );
      expect(first.reported?.steps.map(({ step }) => step)).toEqual(['validated', 'applied', 'verified', 'confirmed']);

      await wish({ mode: 'observe' });
      const undone = await eventually(policy, ({ reported }) => reported?.step === 'rolled_back', 120_000);
      expect(undone).toMatchObject({ in_sync: false, reported: { version: 2, in_force: 1 } });
      expect(undone.reported?.detail).toMatch(/version 1 holds again: not confirmed within 30 s: broker: /);
      expect(undone.reported?.steps.at(-1)?.step).toBe('rolled_back');
      expect([await modeOfAgent(), proxies.every(({ refused }) => refused > 0)]).toEqual(['simulate', true]);

      await wish({ benign_sample: 0.5 }); // still observe: tried, and killed in the middle
      await eventually(modeOfAgent, (mode) => mode === 'observe', 120_000);
      await agent.stop('SIGKILL');
      agent = await startAgent();
      expect(await modeOfAgent()).toBe('simulate');
      // before it was killed it may have said that it tried version 3
      const back = await eventually(
        policy,
        ({ reported }) => reported?.version === 3 && reported.step === 'rolled_back',
        120_000,
      );
      expect(back.reported).toMatchObject({ in_force: 1 });
      expect(back.reported?.detail).toMatch(/the agent ended before version 3 was confirmed/);

      await wish({ mode: 'simulate' });
      await eventually(policy, ({ in_sync, reported }) => in_sync && reported?.step === 'confirmed', 120_000);
      expect((await policy()).reported).toMatchObject({ version: 4, in_force: 4 });
    } finally {
      await agent.stop('SIGTERM');
    }
  },
);

test(
  'an unblock is proved by the gateway, and by one that was away once it is back',
  { timeout: 900_000 },
  async () => {
    await enrolHall();
    const operator = await picket.as('operator');
    const unblock = async (value: string): Promise<StoredUnblock> =>
      StoredUnblock.parse(
        await (await operator.send('POST', '/api/v1/unblocks', { value, reason: 'a customer' })).json(),
      );
    const stateOf = async ({ id }: StoredUnblock): Promise<StoredUnblock> =>
      StoredUnblock.parse(await (await operator.get(`/api/v1/unblocks/${id}`)).json());
    const block = async (): Promise<string> => {
      const body = { scope: 'ip', value: '198.51.100.77', duration: '1h', reason: 'x' };
      const { id } = (await (await operator.send('POST', '/api/v1/decisions', body)).json()) as { id: string };
      await eventually(
        () => askAgent<{ decision: { id: string } }[]>(stateDir(), 'GET', '/decisions'),
        (held) => held.some(({ decision }) => decision.id === id),
        120_000,
      );
      return id;
    };
    const agent = await startAgent();
    let left: string;
    try {
      await eventually(policy, ({ in_sync }) => in_sync, 120_000);
      const id = await block();
      const done = await eventually(
        stateOf.bind(undefined, await unblock('198.51.100.77')),
        (asked) => asked.done,
        120_000,
      );
      expect(done.gateways).toMatchObject([
        { gateway_id: hall, state: 'released', removed: [{ decision_id: id, value: '198.51.100.77' }] },
      ]);
      left = await block();
    } finally {
      await agent.stop('SIGTERM');
    }
    const owed = await unblock('198.51.100.77');
    expect(owed).toMatchObject({ done: false, owing: 1, gateways: [{ gateway_id: hall, state: 'owing', at: null }] });
    const again = await startAgent();
    try {
      const paid = await eventually(stateOf.bind(undefined, owed), (asked) => asked.done, 120_000);
      expect(paid.gateways).toMatchObject([{ state: 'released', removed: [{ decision_id: left }] }]);
    } finally {
      await again.stop('SIGTERM');
    }
  },
);
