import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { ControlServer } from '../control/control-server.ts';
import { DecisionStore } from '../enforcement/decision-store.ts';
import { Enforcer } from '../enforcement/enforcer.ts';
import { emptyGuard } from '../enforcement/guard.ts';
import { explainHeld } from '../explain-held.ts';
import { decision } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import { decisionsCommand, parseDuration } from './decisions.ts';

const unexpected = (): never => {
  throw new Error('nobody asks for this here');
};

/** `picket-agent decisions …` beside an agent that holds these; resolves with what it printed. */
async function command(held: readonly Decision[], ...words: readonly string[]): Promise<string> {
  const state = mkdtempSync(join(tmpdir(), 'picket-decisions-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  using store = DecisionStore.open({ path: ':memory:' });
  await using enforcer = await Enforcer.open({
    store,
    firewall: new MemoryFirewall(),
    guard: emptyGuard,
    mode: 'enforce',
    onEvent: () => {},
    log: { info: () => {}, warn: () => {} },
  });
  await enforcer.add(held);
  await using server = await ControlServer.listen(state, {
    status: unexpected,
    listDecisions: async () => enforcer.list(),
    explainDecisions: (idOrValue) =>
      explainHeld(idOrValue, {
        enforcer,
        verdicts: { alertOf: () => undefined, ruleOf: () => undefined },
        nowMs: Date.now(),
      }),
    addDecision: unexpected,
    deleteDecisions: (idOrValue) => enforcer.delete(idOrValue),
    failOpen: unexpected,
    resume: unexpected,
  });
  expect(server).toBeDefined();
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await decisionsCommand().parseAsync([...words, '--state-dir', state], { from: 'user' });
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  } finally {
    printed.mockRestore();
  }
}

const host = decision({ value: '203.0.113.9' });
const network = decision({ scope: 'cidr', value: '203.0.113.0/24' });
const other = decision({ value: '198.51.100.7' });

test('who lifts a block is told what still restricts the same host', async () => {
  const printed = await command([host, network, other], 'delete', '203.0.113.9');
  expect(printed.split('\n')).toEqual([
    `${host.id} retracted ip:203.0.113.9`,
    `still restricted by cidr:203.0.113.0/24; \`decisions delete ${network.id}\` lifts that`,
  ]);
  expect(await command([host, network], 'delete', host.id)).toContain(network.id);
  expect(await command([host, other], 'delete', '::ffff:203.0.113.9')).toBe(`${host.id} retracted ip:203.0.113.9`);
});

test('where only something wider restricts a host, the command names it', async () => {
  await expect(command([network], 'delete', '203.0.113.9')).rejects.toThrow(
    `it is restricted by cidr:203.0.113.0/24; \`decisions delete ${network.id}\` lifts that`,
  );
  await expect(command([network], 'delete', '192.0.2.1')).rejects.toThrow(/`decisions list` shows them/);
});

test.each(['0s', '31d', '720h1', '1w', '', '-5m', '1e3s', '99999999s'])('"%s" is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(/--duration/);
});
