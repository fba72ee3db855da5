/** What one host says to another, again and again, as data: the plan writes it, `programs/life.ts` does it. */

/** When the next one begins. */
export interface Rhythm {
  /** Mean pause between beginnings, ms. */
  readonly everyMs: number;
  /** `clock`: always the same pause, but for `jitter`; `chance`: independent events; `bursts`: several, then a long pause. */
  readonly kind: 'clock' | 'chance' | 'bursts';
  /** Share of the pause by which a clock is early or late. */
  readonly jitter: number;
}

export type Range = readonly [number, number];

/**
 * http: requests on one connection · kept: framed messages on a connection that stays · mqtt: a session that publishes ·
 * ask: datagrams with answers · tell: datagrams without · stream: media datagrams for a while · name: DNS ·
 * dead: a connection to somebody who does not answer · visit: a page with parts from several hosts · run: a program ·
 * poll: the same request again and again, for a spell · sweep: a short look at each of many hosts · denied: MQTT with a
 * wrong password.
 */
export type ConversationKind =
  | 'http'
  | 'kept'
  | 'mqtt'
  | 'ask'
  | 'tell'
  | 'stream'
  | 'name'
  | 'dead'
  | 'visit'
  | 'run'
  | 'poll'
  | 'sweep'
  | 'denied';

export interface Conversation {
  readonly kind: ConversationKind;
  /** Local address; empty: as the kernel chooses. */
  readonly from: string;
  readonly to: readonly string[];
  readonly port: number;
  readonly isTls: boolean;
  readonly rhythm: Rhythm;
  /** Bytes of each message and of its answer. */
  readonly sends: Range;
  readonly asks: Range;
  /** Messages per connection or socket; for `stream` seconds; for `visit` connections. */
  readonly per: Range;
  /** Mean pause between messages, ms; for `stream` between datagrams. */
  readonly gapMs: number;
  /** How long the other side thinks, ms. */
  readonly thinks: Range;
  /**
   * DNS: names that do not exist, share. MQTT: share of messages with QoS 1. Polls: share of the spells that keep one
   * connection. Sweeps: share of the open ports that are asked for a page.
   */
  readonly share: number;
  /** `run`: alternatives, one of which is chosen each time. */
  readonly commands: readonly (readonly string[])[];
  /** `poll`: is each request answered 401, and then, with the right digest, 200, or never? */
  readonly unauthorized?: 'first' | 'always';
  readonly seed: number;
}

export interface Serving {
  readonly kind: 'http' | 'framed' | 'datagrams' | 'names' | 'telnet' | 'silence' | 'denying';
  readonly address: string;
  readonly port: number;
  readonly isTls: boolean;
}

export interface LifePlan {
  readonly servers: readonly Serving[];
  readonly conversations: readonly Conversation[];
  /** Seconds after the start at which kept connections are torn and servers away for a moment: everybody reconnects. */
  readonly storms: readonly number[];
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
}
