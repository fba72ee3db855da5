/**
 * The stages in order, on one screen. Packets become flows on the packet thread; here flows become windows, windows go
 * to the detection thread, predictions become verdicts, and each result goes to whoever was given to take it.
 */
import type { Alert } from '@picket/shared/contract/alert';
import type { TrafficSource } from '@picket/shared/contract/address';
import type { Health } from '@picket/shared/contract/gateway';
import { newId, type BootId, type PredictionId } from '@picket/shared/contract/identifiers';
import type { Explanation, Prediction } from '@picket/shared/contract/prediction';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { type Detection, type Detector, maxBatchWindows } from './detection/detector.ts';
import type { DeviceRegistry } from './devices/device-registry.ts';
import type { FlowRole } from './devices/device.ts';
import type { DeviceSighting } from './devices/sightings.ts';
import type { FlowBatch } from './features/flow-batch.ts';
import type { DecisionDraft } from './verdict/decision-draft.ts';
import type { Verdicts } from './verdict/decide-verdicts.ts';
import { explainWindow } from './verdict/explain-window.ts';
import { likeliestAttack, type AttackClass } from './verdict/scored-window.ts';
import { DeviceNormals } from './window/device-normal.ts';
import type { DeviceWindows } from './window/device-windows.ts';
import type { WindowContext } from './window/window-context.ts';
import type { DueWindows } from './window/due-queue.ts';
import { instantOf } from './window/packet-time.ts';
import { flowIdOf } from './window/window-flow.ts';

/** Who takes the results. None of these is waited for. */
export interface PipelineOutput {
  /** Once per flow or report of one, and per device it belongs to. */
  onFlow(batch: FlowBatch, row: number, role: FlowRole, isRelayed: boolean): void;
  onDevice(sighting: DeviceSighting): void;
  /** `features`: the window, 10 × 78, present flows in the last slots. `isEvidence`: see `WeighedWindow`. */
  onPrediction(prediction: Prediction, context: WindowContext, features: Float32Array, isEvidence: boolean): void;
  onAlert(alert: Alert): void;
  /** `atUs`: packet time of the window that it follows from. */
  propose(draft: DecisionDraft, atUs: number): void;
}

export interface PipelineOptions {
  readonly bootId: BootId;
  readonly source: TrafficSource;
  readonly registry: DeviceRegistry;
  readonly windows: DeviceWindows;
  /** The first; see `useDetector`. */
  readonly detector: Detector;
  readonly verdicts: Verdicts;
  readonly output: PipelineOutput;
  /** Devices whose normal is kept, for explanations. */
  readonly maxDevices?: number;
  /** Score from which a window is an attack. */
  readonly threshold: number;
  /** False while memory or time is short: few windows of a batch are explained then, the others are counted as unexplained. */
  readonly mayExplain: () => boolean;
}

export interface PipelineCounters {
  readonly windows: number;
  readonly predictions: number;
  readonly attacks: number;
  readonly alerts: number;
  /** Windows that were overtaken or given up before they were scored. */
  readonly dropped: number;
  readonly latencyMsMean: number;
  /** Windows that opened an alert and got their reasons, and those for which the budget was spent. */
  readonly explained: number;
  readonly unexplained: number;
}

const windowSize = windowLength * featureCount;
/**
 * An explanation costs a millisecond, so only a window that opens an alert gets one, and a batch has a budget of them.
 * An alert that had to go without gets its reasons from its next window. While memory or time is short there are two: an
 * alert without reasons is of little use, and two at a time weigh nothing.
 */
const explanationsPerBatch = { usual: 32, pressed: 2 } as const;

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #normals: DeviceNormals;
  #detector: Detector;
  #threshold: number;
  #explained = 0;
  #unexplained = 0;
  #predictions = 0;
  #attacks = 0;
  #alerts = 0;
  #latencyMs = 0;
  #queue: Promise<void> = Promise.resolve();
  #isAdvancing = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#detector = options.detector;
    this.#threshold = options.threshold;
    this.#normals = new DeviceNormals(options.maxDevices);
  }

  get counters(): PipelineCounters {
    return {
      windows: this.#predictions + this.#options.windows.dropped,
      predictions: this.#predictions,
      attacks: this.#attacks,
      alerts: this.#alerts,
      dropped: this.#options.windows.dropped,
      latencyMsMean: this.#predictions === 0 ? 0 : this.#latencyMs / this.#predictions,
      explained: this.#explained,
      unexplained: this.#unexplained,
    };
  }

  /** What had to leave the tables of devices, windows, habits and findings, for they were full. */
  get forgotten(): NonNullable<Health['forgotten']> {
    const { registry, windows, verdicts } = this.#options;
    return {
      devices: registry.evicted,
      windows: windows.evicted,
      habits: this.#normals.evicted,
      findings: verdicts.evicted,
    };
  }

  get threshold(): number {
    return this.#threshold;
  }

  useThreshold(threshold: number): void {
    this.#threshold = threshold;
  }

  /**
   * From here on this network judges, by this threshold. Windows under way are finished on the one before, which is idle
   * and may be closed when this resolves: no window is lost, none is judged twice.
   */
  useDetector(detector: Detector, threshold: number): Promise<void> {
    this.#queue = this.#queue.then(() => {
      this.#detector = detector;
      this.#threshold = threshold;
    });
    return this.#queue;
  }

  /** Resolves when every window that these flows made due has been judged. Calls are served in their order. */
  add(batch: FlowBatch): Promise<void> {
    this.#queue = this.#queue.then(() => this.#addNow(batch));
    return this.#queue;
  }

  /**
   * Nothing is captured just now, and it is this late by packet time (µs): windows that rested are judged, and episodes
   * that are over end. While an earlier call waits for its turn another is needless and does nothing.
   */
  advance(nowUs: number): Promise<void> {
    if (this.#isAdvancing) return Promise.resolve();
    this.#isAdvancing = true;
    this.#queue = this.#queue.then(() => this.#advanceNow(nowUs));
    return this.#queue;
  }

  /** The input has ended: what waited is judged, and every episode says its last word. */
  async finish(): Promise<void> {
    await this.#queue;
    this.#options.windows.finish();
    await this.#judgeDue();
    for (const alert of this.#options.verdicts.finish()) this.#tell(alert);
  }

  async #advanceNow(nowUs: number): Promise<void> {
    this.#isAdvancing = false;
    this.#options.windows.advance(nowUs);
    await this.#judgeDue();
    for (const alert of this.#options.verdicts.advance(nowUs)) this.#tell(alert);
  }

  async #addNow(batch: FlowBatch): Promise<void> {
    const { registry, windows, output } = this.#options;
    for (let row = 0; row < batch.count; row++) {
      const roles = registry.attribute(batch, row);
      const isRelayed = registry.isRelayed(batch, row);
      for (const role of roles) {
        windows.add(batch, row, role.device, role.direction, isRelayed);
        output.onFlow(batch, row, role, isRelayed);
      }
      // As many as are scored at once anyway: no more of them wait, with all their flows, until the batch is through.
      if (windows.due >= maxBatchWindows) await this.#judgeDue();
    }
    await this.#judgeDue();
  }

  /** Devices are told of before what they did. */
  async #judgeDue(): Promise<void> {
    for (const sighting of this.#options.registry.takeSightings()) this.#options.output.onDevice(sighting);
    for (
      let due = this.#options.windows.takeDue(maxBatchWindows);
      due !== undefined;
      due = this.#options.windows.takeDue(maxBatchWindows)
    ) {
      const detection = await this.#detector.detect(due.batch);
      await this.#judge(due, detection);
    }
  }

  async #judge({ batch, contexts }: DueWindows, detection: Detection): Promise<void> {
    const { verdicts, output } = this.#options;
    this.#latencyMs += detection.latencyMs;
    let budget: number = explanationsPerBatch[this.#options.mayExplain() ? 'usual' : 'pressed'];
    for (const [index, context] of contexts.entries()) {
      const features = batch.windows.subarray(index * windowSize, (index + 1) * windowSize);
      const judged = this.#predictionOf(context, detection, index, batch.count);
      const isAttack = judged.label === 'attack';
      const weighed = verdicts.weigh({ prediction: judged, context });
      let prediction = judged;
      const attack = weighed.needsReasonsFor;
      if (attack !== undefined && budget > 0) {
        budget -= 1;
        this.#explained += 1;
        const flowContext = batch.flowContext.slice(index * flowContextSize, (index + 1) * flowContextSize);
        const attributions = await this.#detector.explain({
          features: features.slice(),
          flowsSeen: context.flowsSeen,
          flowContext,
        });
        prediction = { ...judged, explanation: this.#explain(context, features, attack, attributions) };
      } else if (attack !== undefined) this.#unexplained += 1;
      this.#predictions += 1;
      if (isAttack) this.#attacks += 1;
      else this.#normals.learn(context, features);
      output.onPrediction(prediction, context, features, weighed.isEvidence);
      const { alerts, drafts } = verdicts.decide({ prediction, context }, weighed);
      for (const alert of alerts) this.#tell(alert);
      for (const draft of drafts) output.propose(draft, context.atUs);
    }
  }

  #explain(
    context: WindowContext,
    features: Float32Array<ArrayBuffer>,
    attack: AttackClass,
    attributions: Float32Array,
  ): Explanation {
    const { bootId } = this.#options;
    const normal = this.#normals.of(context.device.address, this.#detector.manifest.typical_flow);
    return explainWindow({ context, attack, features, attributions, normal, bootId });
  }

  #tell(alert: Alert): void {
    if (alert.revision === 0) this.#alerts += 1;
    this.#options.output.onAlert(alert);
  }

  #predictionOf(context: WindowContext, detection: Detection, index: number, batchSize: number): Prediction {
    const { bootId } = this.#options;
    const score = Math.min(1, Math.max(0, detection.scores[index]!));
    const classes = trafficClasses.length;
    const prediction: Prediction = {
      id: newId() as PredictionId,
      device: context.device,
      at: instantOf(context.atUs),
      score,
      label: score >= this.#threshold ? 'attack' : 'benign',
      class: 'benign',
      class_probabilities: [...detection.probabilities.subarray(index * classes, (index + 1) * classes)],
      confidence: 2 * Math.abs(score - 0.5),
      threshold: this.#threshold,
      model_version: this.#detector.manifest.version,
      window_key: 'device',
      flows_seen: context.flowsSeen,
      flow_ids: context.flows.map((flow) => flowIdOf(flow.flowNumber, bootId)),
      inference_latency_ms: detection.latencyMs / batchSize,
      source: context.source,
      explanation: null,
    };
    return prediction.label === 'attack'
      ? { ...prediction, class: likeliestAttack({ prediction, context }) }
      : prediction;
  }
}
