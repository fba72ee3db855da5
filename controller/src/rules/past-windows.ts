/** Stored predictions as the windows that decisions are taken on. Pure. */
import type { FlowDirection } from '@picket/shared/contract/address';
import type { JudgedFlow, JudgedWindow } from '@picket/shared/policy/judged-window';
import { likeliestAttack } from '@picket/shared/policy/service-ports';
import type { DryRunRepository, PastWindow } from './dry-run-repository.ts';

type StoredFlows = Awaited<ReturnType<DryRunRepository['flows']>>;

/** So many flows that the window before had not, or so much time since it, make independent evidence. */
const minNewFlows = 5;
const restMs = 5000;

/**
 * Which windows counted as evidence is not stored: a gateway goes by new and by grown flows. Here the ids tell the new
 * ones, and the five seconds between the reports of a living flow the grown ones.
 */
export class FreshWindows {
  readonly #last = new Map<string, { readonly atMs: number; readonly flows: ReadonlySet<string> }>();

  countsAsEvidence({
    device_id: device,
    at,
    flow_ids: ids,
  }: Pick<PastWindow, 'device_id' | 'at' | 'flow_ids'>): boolean {
    const flows = flowIdsOf(ids);
    const atMs = Date.parse(at);
    const last = this.#last.get(device);
    const isFresh =
      last === undefined ||
      flows.filter((id) => !last.flows.has(id)).length >= minNewFlows ||
      Math.abs(atMs - last.atMs) >= restMs;
    if (isFresh) this.#last.set(device, { atMs, flows: new Set(flows) });
    return isFresh;
  }
}

export function flowIdsOf(json: string): string[] {
  return JSON.parse(json) as string[];
}

/** `flows`: of its gateway, by id; those that are no longer kept are left out of the window. */
export function judgedWindow(window: PastWindow, flows: StoredFlows, countsAsEvidence: boolean): JudgedWindow {
  const device = { address: window.address ?? window.device_id, mac: window.mac };
  const judged = flowIdsOf(window.flow_ids).flatMap((id): JudgedFlow[] => {
    const flow = flows.get(id);
    return flow === undefined
      ? []
      : [
          {
            startedAtUs: Date.parse(flow.started_at) * 1000,
            lastPacketAtUs: Date.parse(flow.last_packet_at) * 1000,
            srcIp: flow.src_ip,
            srcPort: flow.src_port,
            dstIp: flow.dst_ip,
            dstPort: flow.dst_port,
            protocol: flow.protocol,
            direction: flow.direction satisfies FlowDirection,
            isRelayed: flow.is_relayed === 1,
            fwdPackets: flow.fwd_packets,
            bwdPackets: flow.bwd_packets,
            fwdBytes: flow.fwd_bytes,
            bwdBytes: flow.bwd_bytes,
            synPackets: countOf(flow.syn),
            ackPackets: countOf(flow.ack),
          },
        ];
  });
  return {
    device,
    atUs: Date.parse(window.at) * 1000,
    score: window.score,
    threshold: window.threshold,
    attack: likeliestAttack(JSON.parse(window.class_probabilities) as number[], { device, flows: judged }),
    flowsSeen: window.flows_seen,
    countsAsEvidence,
    flowImportance: null,
    flows: judged,
  };
}

/** A float32, little-endian. */
function countOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true);
}
