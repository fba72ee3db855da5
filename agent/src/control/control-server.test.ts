import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askAgent } from './control-client.ts';
import { ControlServer, controlSocketPath, type ControlHandlers } from './control-server.ts';

const handlers: ControlHandlers = {
  status: () => ({ mode: 'simulate' }),
  listDecisions: () => Promise.resolve([]),
  explainDecisions: (idOrValue) => Promise.resolve({ decisions: [], guarded: `${idOrValue} is guarded` }),
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

test('what is to be explained may hold anything that a decision can name', async () => {
  const state = directory();
  await using server = await ControlServer.listen(state, handlers);
  expect(server).toBeDefined();
  for (const value of ['192.0.2.0/24', '192.0.2.1 tcp/22', '2001:db8::1'])
    expect(await askAgent(state, 'GET', `/decisions/${encodeURIComponent(value)}`)).toEqual({
      decisions: [],
      guarded: `${value} is guarded`,
    });
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
