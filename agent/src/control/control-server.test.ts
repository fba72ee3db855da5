import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askAgent } from './control-client.ts';
import { ControlServer, controlSocketPath, type ControlHandlers } from './control-server.ts';

const handlers: ControlHandlers = {
  status: () => ({ mode: 'simulate' }),
  listDecisions: () => Promise.resolve([]),
  addDecision: () => Promise.reject(new Error('never reached in these tests')),
  deleteDecisions: () => Promise.resolve([]),
  failOpen: () => Promise.resolve(),
  resume: () => Promise.resolve([]),
};
const directory = (): string => mkdtempSync(join(tmpdir(), 'picket-control-'));

test('a running agent answers its owner and nobody else', async () => {
  const state = directory();
  await using server = await ControlServer.listen(state, handlers);
  expect(server).toBeDefined();
  expect(await askAgent(state, 'GET', '/status')).toEqual({ mode: 'simulate' });
  expect(statSync(controlSocketPath(state)).mode & 0o777).toBe(0o600);
});

test('a request that is no decision is refused with the field', async () => {
  const state = directory();
  await using server = await ControlServer.listen(state, handlers);
  expect(server).toBeDefined();
  await expect(askAgent(state, 'POST', '/decisions', { scope: 'galaxy' })).rejects.toThrow(/scope/);
});

test('two agents cannot share a state directory', async () => {
  const state = directory();
  await using server = await ControlServer.listen(state, handlers);
  expect(server).toBeDefined();
  await expect(ControlServer.listen(state, handlers)).rejects.toThrow(/already running/);
});

test('where no agent runs, the command says how to start one', async () => {
  await expect(askAgent(directory(), 'GET', '/status')).rejects.toThrow(/no agent is running .*picket-agent run/);
});
