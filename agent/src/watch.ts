/**
 * From packets to held decisions: everything that `run` and `replay` have in common, wired and owned in one place. Who
 * listens decides what becomes of the results.
 */
import type { Logger } from 'pino';
import type { Alert } from '@picket/shared/contract/alert';
import type { TrafficSource } from '@picket/shared/contract/address';
import type { DecisionEvent, Mode } from '@picket/shared/contract/decision';
import type { BootId } from '@picket/shared/contract/identifiers';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { Rule } from '@picket/shared/contract/rule';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { defaultRules } from '@picket/shared/policy/default-rules';
import type { AgentConfig } from './config/agent-config.ts';
import type { CaptureDoorAddress } from './capture/capture-door-client.ts';
import { readBundleTrust } from './detection/bundle-trust.ts';
import { DeviceRegistry } from './devices/device-registry.ts';
import type { FlowRole } from './devices/device.ts';
import type { DeviceSighting } from './devices/sightings.ts';
import type { DecisionStore } from './enforcement/decision-store.ts';
import { Enforcer } from './enforcement/enforcer.ts';
import type { OffenceStore } from './enforcement/offence-store.ts';
import type { Firewall } from './enforcement/firewall.ts';
import { refuseByGuard, type Guard } from './enforcement/guard.ts';
import type { HeldOpenMark } from './enforcement/held-open.ts';
import type { SteadyClock } from './enforcement/steady-clock.ts';
import { FamiliarityKeeper } from './familiarity-keeper.ts';
import type { FlowBatch } from './features/flow-batch.ts';
import { memoryPlanOf } from './memory-plan.ts';
import type { MemoryWatch } from './health/memory-watch.ts';
import { PacketStage } from './packet-stage.ts';
import { Pipeline } from './pipeline.ts';
import { ServingModel } from './serving-model.ts';
import { Verdicts } from './verdict/decide-verdicts.ts';
import { DeviceWindows } from './window/device-windows.ts';
import type { WindowContext } from './window/window-context.ts';
import { instantOf } from './window/packet-time.ts';

/** None of these is waited for. */
export interface WatchListener {
  onFlow(batch: FlowBatch, row: number, role: FlowRole, isRelayed: boolean): void;
  onDevice(sighting: DeviceSighting): void;
  onPrediction(prediction: Prediction, context: WindowContext, features: Float32Array, isEvidence: boolean): void;
  onAlert(alert: Alert): void;
  onDecision(event: DecisionEvent): void;
}

export interface WatchOptions {
  readonly config: Pick<AgentConfig, 'capture' | 'flow' | 'lan_prefixes' | 'max_devices' | 'memory' | 'model'>;
  readonly bootId: BootId;
  readonly source: TrafficSource;
  readonly mode: Mode;
  readonly rules: readonly Rule[];
  readonly guard: Guard;
  readonly broadcastAddresses: readonly string[];
  readonly store: DecisionStore;
  /** Who was restricted before; left out: everybody is a stranger at each start. */
  readonly offences?: OffenceStore | undefined;
  /** Where it is kept for how long devices and their peers have been known; left out: everybody is new at each start. */
  readonly familiarityFile?: string | undefined;
  /** What decisions begin and end by. `packet`: a replay at full speed, whose minutes pass in milliseconds. */
  readonly clock: SteadyClock | 'packet';
  /** The owner's word that nothing may be restricted now. Default: never. */
  readonly heldOpen?: () => HeldOpenMark | undefined;
  readonly failPolicy?: 'keep' | 'open';
  /** Where captures are started for a process that may not. */
  readonly captureDoor?: CaptureDoorAddress | undefined;
  /** Given the registry, because a quarantine by MAC covers the addresses the device was seen with. */
  readonly openFirewall: (registry: DeviceRegistry, now: () => number) => Firewall;
  readonly listener: WatchListener;
  readonly memory: MemoryWatch;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export class Watch implements AsyncDisposable {
  readonly registry: DeviceRegistry;
  readonly model: ServingModel;
  readonly verdicts: Verdicts;
  readonly enforcer: Enforcer;
  readonly pipeline: Pipeline;
  readonly packets: PacketStage;
  /** Everything is judged: packet time is that of the last flow. */
  readonly #catchUp: () => void;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Omit<Watch, 'ended' | 'start' | 'useGuard' | typeof Symbol.asyncDispose>,
    catchUp: () => void,
    resources: AsyncDisposableStack,
  ) {
    this.registry = parts.registry;
    this.model = parts.model;
    this.verdicts = parts.verdicts;
    this.enforcer = parts.enforcer;
    this.pipeline = parts.pipeline;
    this.packets = parts.packets;
    this.#catchUp = catchUp;
    this.#resources = resources;
  }

  /** Loads the model, brings the firewall to what the store says, then begins to capture. */
  static async open(options: WatchOptions): Promise<Watch> {
    await using resources = new AsyncDisposableStack();
    const { config, bootId, source, listener, log } = options;
    /** Of the newest flow, and of the newest window that was judged: what follows from that one happens at its time. */
    const packetTimeMs = { read: 0, judged: 0 };
    const { clock } = options;
    const now = clock === 'packet' ? (): number => packetTimeMs.judged : (): number => clock.now();
    const registry = new DeviceRegistry({
      lanPrefixes: config.lan_prefixes,
      relayMacs: relayMacsOf(options.guard),
      outsideLegs: options.guard.outsideLegs,
      broadcastAddresses: options.broadcastAddresses,
      capacity: config.max_devices,
    });
    const model = resources.use(
      await ServingModel.open({
        ownBundle: config.model.bundle,
        ownThreshold: config.model.threshold,
        trust: await readBundleTrust(config.model.trust),
        log,
      }),
    );
    let guardNow = (): Guard => options.guard;
    const verdicts = new Verdicts({
      bootId,
      rules: options.rules,
      ownAddresses: () => new Set(guardNow().ownAddresses),
      isGuarded: (scope, value) => {
        const parsed = parseDecisionValue(scope, value);
        return !parsed.ok || refuseByGuard(parsed.target, guardNow()) !== undefined;
      },
    });
    const { offences } = options;
    verdicts.restore(options.store.all(), offences?.known() ?? [], offences?.lifted() ?? []);
    const enforcer = resources.use(
      await Enforcer.open({
        store: options.store,
        firewall: resources.use(options.openFirewall(registry, now)),
        now,
        ...(clock === 'packet' ? {} : { skewMs: () => clock.skewMs() }),
        ...(options.heldOpen === undefined ? {} : { heldOpen: options.heldOpen }),
        ...(options.failPolicy === undefined ? {} : { failPolicy: options.failPolicy }),
        guard: options.guard,
        mode: options.mode,
        // Only what is captured live may be cut: addresses of a replay may be in use on this very network.
        ceiling: source === 'live' ? 'enforce' : 'simulate',
        log,
        onEvent: (event) => {
          listener.onDecision(event);
          for (const alert of verdicts.noteDecision(event)) listener.onAlert(alert);
          remember(event, verdicts, offences);
        },
      }),
    );
    guardNow = () => enforcer.guard;
    const windows = new DeviceWindows({ source, capacity: config.max_devices });
    if (options.familiarityFile !== undefined)
      resources.use(await FamiliarityKeeper.start({ path: options.familiarityFile, windows, log }));
    resources.use(
      options.memory.listen(() =>
        windows.useCapacity(options.memory.sheds('capacity') ? Math.ceil(config.max_devices / 4) : config.max_devices),
      ),
    );
    const pipeline = new Pipeline({
      bootId,
      source,
      registry,
      windows,
      detector: model.detector,
      verdicts,
      threshold: model.threshold,
      maxDevices: config.max_devices,
      mayExplain: () => !options.memory.sheds('explanations') && !packets.isBehind,
      output: {
        onFlow: (batch, row, role, isRelayed) => {
          packetTimeMs.read = Math.max(packetTimeMs.read, Math.floor(batch.lastPacketAtUs[row]! / 1000));
          listener.onFlow(batch, row, role, isRelayed);
        },
        onDevice: (sighting) => listener.onDevice(sighting),
        onPrediction: (prediction, context, features, isEvidence) => {
          packetTimeMs.judged = Math.max(packetTimeMs.judged, Date.parse(prediction.at));
          listener.onPrediction(prediction, context, features, isEvidence);
        },
        onAlert: (alert) => listener.onAlert(alert),
        propose: (draft, atUs) =>
          void enforcer
            .propose(draft, clock === 'packet' ? Date.parse(instantOf(atUs)) : undefined)
            .catch((error: unknown) => {
              log.error({ err: error, value: draft.value }, 'a decision of the model was lost');
            }),
      },
    });
    model.attach(pipeline);
    const plan = memoryPlanOf(config.memory.max_mib, config.flow.capacity);
    const packets = resources.use(
      PacketStage.start(
        {
          capture: config.capture,
          captureDoor: options.captureDoor,
          flowCapacity: plan.flowCapacity,
          reportPace: {
            firstUs: config.flow.first_report_ms * 1000,
            firstPackets: config.flow.first_report_packets,
            intervalUs: config.flow.report_interval_ms * 1000,
          },
          credits: source === 'live' ? plan.batchesUnderWay : plan.batchesOfFile,
          profile: model.detector.manifest.feature_profile,
        },
        {
          onFlows: (batch) => pipeline.add(batch),
          onQuiet: (nowUs) => pipeline.advance(nowUs),
          onWarning: (text) => log.warn(text),
        },
      ),
    );
    const catchUp = (): void => {
      packetTimeMs.judged = Math.max(packetTimeMs.judged, packetTimeMs.read);
    };
    return new Watch({ registry, model, verdicts, enforcer, pipeline, packets }, catchUp, resources.move());
  }

  /** The network of the gateway, or what is to be protected in it, is another one. See `Enforcer.useGuard`. */
  async useGuard(guard: Guard): Promise<void> {
    await this.enforcer.useGuard(guard);
    this.registry.useRelayMacs(relayMacsOf(guard));
    this.registry.useOutsideLegs(guard.outsideLegs);
  }

  /**
   * Resolves when the capture has ended and all of it was judged. Rejects when the capture failed; what was read until
   * then has been judged all the same.
   */
  async ended(): Promise<void> {
    try {
      await this.packets.ended;
    } finally {
      await this.pipeline.finish();
      await this.enforcer.check(); // in turn: whatever was proposed before has its outcome then
      this.#catchUp();
      await this.enforcer.check();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Of the gateway's own file; where it has none, the built-in ones. */
export function ownRules({ rules }: Pick<AgentConfig, 'rules'>): readonly Rule[] {
  return rules.length > 0 ? rules : defaultRules;
}

/** What this gateway and its next hops forward, others have sent. */
function relayMacsOf({ ownMacs, defaultRouteMacs }: Guard): readonly string[] {
  return [...ownMacs, ...defaultRouteMacs];
}

/** Over a restart: who was restricted in earnest, and what a person ended. */
function remember({ state, decision }: DecisionEvent, verdicts: Verdicts, offences: OffenceStore | undefined): void {
  const record = offences === undefined ? undefined : verdicts.recordOf(decision);
  if (record === undefined) return;
  if (state === 'verified') offences?.keep(record);
  else if (state === 'retracted') offences?.lift(record);
}
