/**
 * What is true of a capture: which namespace attacked whom, with what, from when to when. A flow's label follows from
 * its addresses and its start alone; whatever no rule covers is benign. README.md shows how to read it.
 */
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';

export const LabelRule = z.strictObject({
  class: TrafficClass.exclude(['benign']),
  /** One end of the flow; null: any address but those in `except`. Which end spoke first does not matter. */
  src_ip: z.string().nullable(),
  /** The other end; null: any. */
  dst_ip: z.string().nullable(),
  /** IP protocol number; null: any. */
  protocol: z.int().min(0).max(255).nullable(),
  /** Port at the `dst_ip` end; null: any. */
  dst_port: z.int().min(0).max(65_535).nullable(),
  /** A null `src_ip` never stands for these: the site's honest hosts. */
  except: z.array(z.string()),
  /** The flow's first packet lies in [from_us, to_us], in microseconds since 1970. */
  from_us: z.int(),
  to_us: z.int(),
  /** The tool and its setting. */
  step: z.string(),
  /** The program alone, and the number of the run that the rule belongs to; older captures have neither. */
  tool: z.string().optional(),
  episode: z.int().nonnegative().optional(),
});
export type LabelRule = z.infer<typeof LabelRule>;

export const CaptureLabels = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  site: z.string(),
  seed: z.int(),
  settings: z.enum(['train', 'validation', 'test', 'demo']),
  /** The site's LAN: what stands for the gateway's inside when the capture is replayed. */
  lan_prefix: z.string(),
  /** All prefixes of the inside, IPv6 included; without it `lan_prefix` is the only one. */
  lan_prefixes: z.array(z.string()).optional(),
  /** Where the capture was taken: before (`lan`) or behind (`wan`) the gateway's address translation. */
  view: z.enum(['lan', 'wan']).optional(),
  /** Nobody attacked: false alarms are counted on such captures. */
  kind: z.enum(['attack', 'life']).optional(),
  from_us: z.int(),
  to_us: z.int(),
  rules: z.array(LabelRule),
});
export type CaptureLabels = z.infer<typeof CaptureLabels>;

/** One flow as the rules see it: two ends, either of which may have spoken first. */
export interface LabelledEnds {
  readonly a_ip: string;
  readonly a_port: number;
  readonly b_ip: string;
  readonly b_port: number;
  readonly protocol: number;
  /** First packet, microseconds since 1970. */
  readonly start_us: number;
}

/** The first rule that covers a flow; undefined: it is benign. */
export function ruleOf(flow: LabelledEnds, labels: Pick<CaptureLabels, 'rules'>): LabelRule | undefined {
  return labels.rules.find((rule) => covers(rule, flow));
}

/** The class of a flow: that of the first rule that covers it, or benign. */
export function labelOf(flow: LabelledEnds, labels: CaptureLabels): TrafficClass {
  return ruleOf(flow, labels)?.class ?? 'benign';
}

function covers(rule: LabelRule, flow: LabelledEnds): boolean {
  if (flow.start_us < rule.from_us || flow.start_us > rule.to_us) return false;
  if (rule.protocol !== null && rule.protocol !== flow.protocol) return false;
  return coversEnds(rule, flow.a_ip, flow.b_ip, flow.b_port) || coversEnds(rule, flow.b_ip, flow.a_ip, flow.a_port);
}

function coversEnds(rule: LabelRule, source: string, destination: string, destinationPort: number): boolean {
  if (rule.src_ip === null ? rule.except.includes(source) : rule.src_ip !== source) return false;
  if (rule.dst_ip !== null && rule.dst_ip !== destination) return false;
  return rule.dst_port === null || rule.dst_port === destinationPort;
}
