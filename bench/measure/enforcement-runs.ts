/** What is asked of an enforcer in its benchmarks: one block after the other, ten thousand at once, a start, a repair. */
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Decision } from '../../shared/src/contract/decision.ts';
import { DecisionStore } from '../../agent/src/enforcement/decision-store.ts';
import { Enforcer } from '../../agent/src/enforcement/enforcer.ts';
import type { Firewall } from '../../agent/src/enforcement/firewall.ts';
import { emptyGuard, type Guard } from '../../agent/src/enforcement/guard.ts';
import { SteadyClock, systemTime } from '../../agent/src/enforcement/steady-clock.ts';
import { decision } from '../../agent/src/testing/decisions.ts';
import { cpuOfChildrenMs, cpuOfProcessMs } from './process-cpu.ts';

export const tenThousand = 10_000;
const never = new AbortController().signal;

const guard: Guard = {
  ...emptyGuard,
  controllers: [{ address: '192.0.2.10', port: 8883 }],
  dnsServers: ['192.0.2.53'],
  adminPrefixes: ['192.0.2.0/24'],
  managementPorts: [22],
  neverBlock: ['198.51.100.0/28'],
  ownAddresses: ['192.0.2.1', 'fe80::1'],
  defaultRoutes: ['192.0.2.254'],
};

/** Milliseconds: by the clock, of this process's CPUs, of those of the process with the rights, and of `nft`'s. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
  readonly helper: number;
  readonly nft: number;
}

/** Both owned by the caller. `storePath`: a file, so that what the disk costs is in the figures. */
export async function openEnforcer(firewall: Firewall, store: DecisionStore): Promise<Enforcer> {
  return Enforcer.open({
    store,
    firewall,
    guard,
    mode: 'enforce',
    onEvent: () => {},
    log: { info: () => {}, warn: () => {} },
    checkEveryMs: 3_600_000,
  });
}

export function openStore(path: string): DecisionStore {
  return DecisionStore.open({ path, clock: new SteadyClock(systemTime()) });
}

/** Milliseconds from the asking for a block to its being read back, one after the other. */
export async function verdicts(firewall: Firewall, path: string, held: number, runs: number): Promise<number[]> {
  using store = fresh(path);
  await firewall.clear(never);
  await using enforcer = await openEnforcer(firewall, store);
  if (held > 0) await enforcer.add(blocks(held));
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const one = block(`203.0.113.${run % 250}`);
    const startedAtMs = performance.now();
    const [event] = await enforcer.add([one]);
    times.push(performance.now() - startedAtMs);
    if (event?.state !== 'verified') throw new Error(`not verified: ${JSON.stringify(event)}`);
    await enforcer.remove([one.id], 'measured');
  }
  return times;
}

/** Ten thousand at once; the same from disk, as after a restart; and all rules flushed, until they are whole again. */
export async function tenThousandAtOnce(
  firewall: Firewall,
  path: string,
  flush: () => Promise<void>,
  helperPid?: number,
): Promise<{ readonly applied: Cost; readonly started: Cost; readonly flushedMs: number }> {
  const applied = await (async () => {
    using store = fresh(path);
    await firewall.clear(never);
    await using enforcer = await openEnforcer(firewall, store);
    const decisions = blocks(tenThousand);
    return costOf(async () => {
      const events = await enforcer.add(decisions);
      if (events.some(({ state }) => state !== 'verified')) throw new Error('not all decisions were verified');
    }, helperPid);
  })();
  await firewall.clear(never);
  await using resources = new AsyncDisposableStack();
  let enforcer: Enforcer | undefined;
  const started = await costOf(async () => {
    enforcer = resources.use(await openEnforcer(firewall, resources.use(openStore(path))));
  }, helperPid);
  if (enforcer?.stats.in_force !== tenThousand) throw new Error('not all decisions came back');
  await pause(3000); // the announcements of our own deletion are over
  const before = enforcer.stats.gap_ms_total ?? 0;
  await flush();
  for (const deadline = Date.now() + 60_000; (enforcer.stats.gap_ms_total ?? 0) === before; await pause(20)) {
    if (Date.now() > deadline) throw new Error('what was flushed did not come back');
  }
  return { applied, started, flushedMs: (enforcer.stats.gap_ms_total ?? 0) - before };
}

export function blocks(count: number): readonly Decision[] {
  return Array.from({ length: count }, (_, index) =>
    block(`100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`),
  );
}

function block(value: string): Decision {
  return decision({ value, expires_at: new Date(Date.now() + 3_600_000).toISOString() });
}

function fresh(path: string): DecisionStore {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  return openStore(path);
}

/** `helperPid`: of the process with the rights, where it is another. */
async function costOf(work: () => Promise<void>, helperPid?: number): Promise<Cost> {
  const helperMs = (): number => (helperPid === undefined ? 0 : cpuOfProcessMs(helperPid));
  const [startedAtMs, cpu, helper, nft] = [
    performance.now(),
    process.cpuUsage(),
    helperMs(),
    cpuOfChildrenMs(helperPid),
  ];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    wall: performance.now() - startedAtMs,
    cpu: (user + system) / 1000,
    helper: helperMs() - helper,
    nft: cpuOfChildrenMs(helperPid) - nft,
  };
}
