/** What stands before the columns of a pack of flows, and how large a pack may say that it is. */
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { z } from 'zod';

/**
 * Ten hours of the busiest site that was ever captured. Reading so many rows takes about 0.7 GB of memory, however small
 * the file is.
 */
const mostRows = 500_000;

/** One run of one attack tool: what recall per episode is counted on. */
export const PackedEpisode = z.strictObject({
  class: TrafficClass.exclude(['benign']),
  /** The program: `nmap`, `hydra`, `own beacon`. */
  tool: z.string(),
  /** Tool and setting, for people. */
  step: z.string(),
  /** Addresses that it came from and that it meant; empty: many. */
  from: z.string(),
  to: z.string(),
  from_us: z.int(),
  to_us: z.int(),
});
export type PackedEpisode = z.infer<typeof PackedEpisode>;

export const FlowPackHeader = z.strictObject({
  /** 1 did not know directions; up to 2 features are stored as they are, from 3 on as differences from guesses. */
  format: z.literal([1, 2, 3]),
  name: z.string(),
  /** What is held out together. */
  site: z.string(),
  seed: z.int(),
  part: z.enum(['train', 'validation', 'test']),
  /** `life`: no attack at all, for false alarms per gateway and day. */
  kind: z.enum(['attack', 'life']),
  /** Where the gateway listened. Behind address translation `wan` sees one device only: the gateway's own address. */
  view: z.enum(['lan', 'wan']),
  /** The feature profile of the values, which are as the agent gave them: not yet normalised. */
  profile: z.literal('fixed'),
  lan_prefixes: z.array(z.string()),
  from_us: z.int(),
  to_us: z.int(),
  capture_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  rows: z.int().nonnegative(),
  /** Rows left out of the middle of attacks that make tens of thousands. */
  dropped_rows: z.int().nonnegative(),
  /** Addresses that rows point to by number: devices and everybody else alike. */
  addresses: z.array(z.string()).max(65_535),
  episodes: z.array(PackedEpisode).max(65_534),
});
export type FlowPackHeader = z.infer<typeof FlowPackHeader>;

/**
 * A header that may be trusted with memory. Only the first thing that is wrong is told: of a hostile one thousands may be.
 * @param name What the message calls the pack: its path, say.
 * @throws Error that names the pack, the field and what is wrong with it.
 */
export function checkHeader(value: unknown, name: string): FlowPackHeader {
  const { data, error } = FlowPackHeader.safeParse(value);
  if (data === undefined) {
    const { path, message } = error.issues[0]!;
    throw new Error(`${name}: ${['header', ...path].join('.')}: ${message}`, { cause: error });
  }
  if (data.rows > mostRows)
    throw new Error(`${name}: header.rows is ${data.rows}, and a pack holds at most ${mostRows}`);
  return data;
}
