/**
 * Runs in the namespace of the gateway that is measured, and prints raw times as JSON. `whole`: it asks the kernel by
 * itself. `separated`: it holds the rights, and its own child asks through it, as the agent does.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Firewall } from '../../agent/src/enforcement/firewall.ts';
import { runProgram } from '../../agent/src/enforcement/system-program.ts';
import { NftablesFirewall, type NftablesFirewallOptions } from '../../agent/src/enforcement/nftables-firewall.ts';
import { HelperFirewall } from '../../agent/src/privileged/helper-firewall.ts';
import { HelperLink } from '../../agent/src/privileged/helper-link.ts';
import { KernelService } from '../../agent/src/privileged/kernel-service.ts';
import { LineChannel } from '../../agent/src/privileged/line-channel.ts';
import { maxRequestBytes } from '../../agent/src/privileged/messages.ts';
import { helperHeap } from '../../agent/src/privileged/separate.ts';
import { tenThousand, tenThousandAtOnce, verdicts } from './enforcement-runs.ts';

/** Raw times of one layout of processes. */
export interface EnforcementTimes {
  readonly withNoneHeldMs: readonly number[];
  readonly withTenThousandHeldMs: readonly number[];
  readonly many: readonly Awaited<ReturnType<typeof tenThousandAtOnce>>[];
}

const [role = 'whole', ...counts] = process.argv.slice(2);
const [runs = 0, manyRuns = 0] = counts.map(Number);
const channelDescriptor = 3;
// deletions of connections run beside, and would be measured with the rest
const kernel: NftablesFirewallOptions = { conntrack: ['true'], isBridge: () => false };

if (role === 'separated') {
  process.exitCode = await serveAgent();
} else if (role === 'agent') {
  await using link = await HelperLink.open(channelDescriptor, {
    onStop: () => {},
    onWarning: (text) => console.error(text),
    onClose: () => {},
  });
  await using firewall = new HelperFirewall({ link, now: Date.now, addressesOf: () => [] });
  await measure(firewall, process.ppid);
} else {
  await using firewall = NftablesFirewall.create(kernel);
  await measure(firewall);
}

async function measure(firewall: Firewall, helperPid?: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'picket-bench-'));
  try {
    const path = join(folder, 'decisions.sqlite');
    const withNoneHeldMs = await verdicts(firewall, path, 0, runs);
    const withTenThousandHeldMs = await verdicts(firewall, path, tenThousand, Math.ceil(runs / 4));
    const many: Awaited<ReturnType<typeof tenThousandAtOnce>>[] = [];
    for (let run = 0; run < manyRuns; run++) {
      many.push(await tenThousandAtOnce(firewall, path, flushRules, helperPid));
    }
    console.log(JSON.stringify({ withNoneHeldMs, withTenThousandHeldMs, many } satisfies EnforcementTimes));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As many firewall scripts begin. */
async function flushRules(): Promise<void> {
  await runProgram(['nft', 'flush', 'ruleset'], { signal: AbortSignal.timeout(10_000) });
}

/** The exit code of the one that asks. */
async function serveAgent(): Promise<number> {
  const ofBoth = process.execArgv.filter((argument) => !helperHeap.includes(argument));
  const child = spawn(process.execPath, [...ofBoth, import.meta.filename, 'agent', ...counts], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('close', (code) => resolve(code ?? 1));
  await using service = new KernelService({
    openFirewall: (facts) => NftablesFirewall.create({ ...kernel, ...facts }),
    send: (reply) => channel.send(reply),
  });
  using channel = LineChannel.open(child.stdio[channelDescriptor] as Duplex, {
    maxLineBytes: maxRequestBytes,
    onValue: (value) => void service.serve(value),
    onBadLine: (reason) => service.refuse(null, reason),
    onClose: () => {},
  });
  channel.send({ event: 'welcome', capture: { path: '', token: '' } });
  return await promise; // the channel is closed after it
}
