/** The agent as a daemon: the only file that knows every adapter. It detects and enforces with no controller in reach. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Mode } from '@picket/shared/contract/decision';
import type { Health } from '@picket/shared/contract/gateway';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import type { BundleReported } from '@picket/shared/contract/twin';
import type { AgentConfig } from './config/agent-config.ts';
import { ControlServer } from './control/control-server.ts';
import { readHeldOpen } from './enforcement/held-open.ts';
import { NftablesFirewall } from './enforcement/nftables-firewall.ts';
import { SimulatedFirewall } from './enforcement/simulated-firewall.ts';
import { SteadyClock, systemTime } from './enforcement/steady-clock.ts';
import { OffenceStore } from './enforcement/offence-store.ts';
import { readSystemGuard } from './enforcement/system-guard.ts';
import type { Firewall } from './enforcement/firewall.ts';
import { guardedWords, guardOf, joinGuards, useKnownAddresses } from './gateway-guard.ts';
import { GuardUpkeep } from './guard-upkeep.ts';
import { readHealth } from './health/agent-health.ts';
import { loadIdentity } from './identity/gateway-identity.ts';
import { ControllerSide, openAccepted } from './controller-side.ts';
import { localDoor } from './local-door.ts';
import { HelperFirewall } from './privileged/helper-firewall.ts';
import type { HelperLink } from './privileged/helper-link.ts';
import { holds } from './privileged/rights.ts';
import { OutboxWriter } from './report/outbox-writer.ts';
import { Outbox } from './report/outbox.ts';
import { Reporter } from './report/reporter.ts';
import { watchMemory } from './memory-plan.ts';
import { openDecisions, openStateDirectory } from './state-directory.ts';
import { ownRules, Watch } from './watch.ts';

/** What `picket-agent status` shows. */
export interface AgentStatus {
  readonly gateway_id: string | null;
  readonly mode: Mode;
  /** For people: connected, or why not. */
  readonly controller: string;
  readonly model: {
    readonly version: string;
    readonly threshold: number;
    /** What the controller wants served, and how far that is; null without a controller. */
    readonly bundle: BundleReported | null;
  };
  /** With whom no block keeps the gateway from talking, and behind whom everything outside is; addresses and MACs. */
  readonly guarded: Readonly<Record<'controllers' | 'resolvers' | 'time_servers' | 'next_hops', readonly string[]>>;
  readonly health: Health;
}

const healthEveryMs = 10_000;

/** Runs until the signal aborts, or the live capture fails for good. */
export async function runAgent(
  config: AgentConfig,
  log: Logger,
  signal: AbortSignal,
  helper?: HelperLink,
): Promise<void> {
  await using resources = new AsyncDisposableStack();
  openStateDirectory(config.state_dir);
  const bootId = newId() as BootId;
  const identity = loadIdentity(config.state_dir);
  const isLive = config.capture.source === 'live';
  const source = isLive ? 'live' : 'pcap';

  const outbox = resources.use(
    Outbox.open({
      path: join(config.state_dir, 'outbox.sqlite'),
      maxBytes: config.report.outbox_max_mib * 1_048_576,
      maxAgeMs: config.report.outbox_max_days * 86_400_000,
      log,
    }),
  );
  let controller: ControllerSide | undefined; // events come before it is there: they wait in the outbox
  const writer = resources.use(new OutboxWriter({ outbox, onCommitted: () => controller?.wake() }));
  const memory = resources.use(watchMemory(config.memory.max_mib, (text) => log.warn(text)));
  let isBehind = (): boolean => false;
  const reporter = new Reporter({
    bootId,
    source,
    mayReportInFull: () => !memory.sheds('reports') && !isBehind(),
    benignSample: config.report.benign_sample,
    sink: (events) => writer.add(events),
  });
  await helper?.request({ op: 'declare', fail_policy: config.fail_policy });
  const privilege = helper !== undefined ? 'separated' : isLive && holds('net_admin') ? 'whole' : 'none';
  const clock = new SteadyClock(systemTime());
  useKnownAddresses(join(config.state_dir, 'known-addresses.json'));
  const system = await readSystemGuard();
  const accepted =
    identity === undefined ? undefined : resources.use(await openAccepted(config.state_dir, identity, log));
  const policy = accepted?.policy;
  // packet time of a replay is no time to remember anybody by
  const offences = isLive ? OffenceStore.open({ path: join(config.state_dir, 'offences.sqlite'), log }) : undefined;
  if (offences !== undefined) resources.use(offences);
  const watch = resources.use(
    await Watch.open({
      config,
      bootId,
      source,
      mode: policy?.mode ?? config.mode,
      rules: policy?.rules ?? ownRules(config),
      guard: await guardOf(
        { guard: policy === undefined ? config.guard : joinGuards(config.guard, policy.guard) },
        identity,
        system,
      ),
      broadcastAddresses: system.broadcastAddresses,
      store: resources.use(openDecisions(config.state_dir, clock)),
      offences,
      familiarityFile: isLive ? join(config.state_dir, 'familiarity.json') : undefined,
      clock,
      heldOpen: () => readHeldOpen(config.state_dir, clock),
      failPolicy: config.fail_policy,
      captureDoor: helper?.capture,
      // A replay never touches a kernel: its addresses may be in use on this very network.
      openFirewall: (registry, now) =>
        isLive
          ? openKernel({ addressesOf: (mac) => registry.undisputedAddressesOf(mac), now }, helper, (text) =>
              log.warn(text),
            )
          : new SimulatedFirewall({ now }),
      memory,
      listener: {
        onFlow: (batch, row, role, isRelayed) => reporter.onFlow(batch, row, role, isRelayed),
        onDevice: (sighting) => reporter.onDevice(sighting),
        onPrediction: (prediction, context, features, isEvidence) =>
          reporter.onPrediction(prediction, context, features, isEvidence),
        onAlert: (alert) => reporter.onAlert(alert),
        onDecision: (event) => {
          reporter.onDecision(event);
          controller?.decisionsChanged();
        },
      },
      log,
    }),
  );
  isBehind = () => watch.packets.isBehind;
  const health = (): Health =>
    readHealth({
      bootId,
      interfaceName:
        config.capture.source === 'live' ? config.capture.interface : config.capture.files.join(', ').slice(0, 64),
      packets: () => watch.packets.counters,
      detection: () => ({
        ...watch.pipeline.counters,
        bundleSwaps: watch.model.swaps,
        bundlesRefused: controller?.bundlesRefused ?? 0,
      }),
      enforcement: () => ({ ...watch.enforcer.stats, policy_unsaved: controller?.policyUnsaved ?? 0, privilege }),
      outbox: () => outbox.stats(),
      devices: () => watch.registry.size,
      forgotten: () => watch.pipeline.forgotten,
      memory: () => ({
        ...memory.state,
        withheld: reporter.withheld,
        unexplained: watch.pipeline.counters.unexplained,
      }),
    });
  if (identity !== undefined && accepted !== undefined) {
    controller = resources.use(
      await ControllerSide.start({
        config,
        identity,
        accepted,
        bootId,
        outbox,
        reporter,
        watch,
        guardOf: async (guard) => guardOf({ guard }, identity, await readSystemGuard()),
        log,
      }),
    );
  }
  await watch.packets.opened; // who finds the local door open may count on every packet from now on
  const status = (): AgentStatus => ({
    gateway_id: identity?.gateway_id ?? null,
    mode: watch.enforcer.mode,
    controller: controller?.describe() ?? 'not enrolled: working alone',
    model: {
      version: watch.model.reference.version,
      threshold: watch.pipeline.threshold,
      bundle: controller?.bundle ?? null,
    },
    guarded: guardedWords(watch.enforcer.guard),
    health: health(),
  });
  const door = localDoor({ stateDir: config.state_dir, watch, clock, status });
  resources.use(await ControlServer.listen(config.state_dir, door));

  await using timers = new AsyncDisposableStack();
  const healthTimer = setInterval(() => controller?.sendHealth(health()), healthEveryMs);
  timers.defer(() => clearInterval(healthTimer));
  timers.use(
    GuardUpkeep.start({
      read: async () => {
        const settings = controller?.guardSettings() ?? config.guard;
        return guardOf({ guard: settings }, identity, await readSystemGuard());
      },
      use: (guard) => watch.useGuard(guard),
      current: () => watch.enforcer.guard,
      isLive,
      log,
    }),
  );

  log.info(
    {
      gateway: identity?.gateway_id ?? null,
      capture: config.capture,
      mode: watch.enforcer.mode,
      model: watch.model.reference.version,
      decisions: watch.enforcer.list().length,
    },
    'watching',
  );

  if (!isLive && config.mode === 'enforce') {
    log.warn('mode: a replay never reaches the kernel, so its decisions are simulated');
  }
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  const ended = watch.ended().then(() => reporter.finish());
  await Promise.race([ended, stopped]);
  if (!isLive && !signal.aborted) {
    const counters = { ...watch.packets.counters, ...watch.pipeline.counters };
    log.info(counters, 'the capture has been replayed; decisions still come and go until the agent is stopped');
    await stopped;
  }
  watch.packets.stop();
  const { promise: graceIsOver, resolve: endGrace } = Promise.withResolvers<void>();
  const grace = setTimeout(endGrace, stopGraceMs);
  await Promise.race([ended, graceIsOver]).finally(() => clearTimeout(grace));
}

/** Flows that still live are handed over when the agent stops, within this time. */
const stopGraceMs = 2000;

/** The kernel itself, or the process that may touch it. */
function openKernel(
  options: { readonly addressesOf: (mac: string) => readonly string[]; readonly now: () => number },
  link: HelperLink | undefined,
  onWarning: (text: string) => void,
): Firewall {
  return link === undefined
    ? NftablesFirewall.create({ ...options, onWarning })
    : new HelperFirewall({ ...options, link });
}
