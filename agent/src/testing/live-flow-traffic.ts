/**
 * Packets of many connections that all stay open, as chunks: to measure the meter in its steady state, without the work
 * of beginning and ending flows. The same packets every time.
 */
import type { Chunk } from '../capture/packet-source.ts';

/**
 * In which order the connections speak. `random`: any of them, each as likely, so that no cache can guess; `skewed`: by
 * Zipf's law with exponent 1, as popularity is spread on real networks.
 */
export type ArrivalOrder = 'random' | 'skewed';

const rows = 4096;
const frameBytes = 128;
const syn = 0x02;
const ack = 0x10;
const psh = 0x18;
const segmentHeader = 20;

export class LiveFlowTraffic {
  readonly flows: number;
  readonly #order: ArrivalOrder;
  readonly #chunk: Chunk & { count: number };
  readonly #view: DataView;
  readonly #logOfFlows: number;
  /** In an array, as a number in a field may be boxed anew whenever it changes: this may allocate nothing either. */
  readonly #clockUs = new Float64Array(1);
  #state = 1;

  constructor(flows: number, order: ArrivalOrder, startUs: number) {
    this.flows = flows;
    this.#order = order;
    this.#logOfFlows = Math.log(flows);
    this.#clockUs[0] = startUs;
    this.#chunk = {
      count: 0,
      bytes: new Uint8Array(rows * frameBytes),
      offsets: Uint32Array.from({ length: rows }, (_, row) => row * frameBytes),
      lengths: new Uint32Array(rows).fill(frameBytes),
      wireLengths: new Uint32Array(rows).fill(frameBytes),
      timesUs: new Float64Array(rows),
      linkTypes: new Uint16Array(rows).fill(1),
    };
    this.#view = new DataView(this.#chunk.bytes.buffer);
    for (let row = 0; row < rows; row++) writeTemplate(this.#view, row * frameBytes);
  }

  /** Time of the latest packet. */
  get timeUs(): number {
    return this.#clockUs[0]!;
  }

  /** Let this much time pass without a packet. */
  pause(us: number): void {
    this.#clockUs[0]! += us;
  }

  /** First packet and answer of every connection. A chunk is lent until the next is asked for. */
  *opening(): Generator<Chunk, void, void> {
    this.#chunk.count = 0;
    // Not in the order of their popularity: those who speak most lie scattered in a table.
    for (let turn = 0; turn < this.flows; turn++) {
      const flow = (turn * 611_953) % this.flows;
      this.#write(flow, false, syn);
      this.#write(flow, true, syn | ack);
      if (this.#chunk.count === rows) yield this.#lend();
    }
    if (this.#chunk.count > 0) yield this.#lend();
  }

  /** At least `packets` packets, 1 µs apart, half of them with data, half of them answers. */
  *speaking(packets: number): Generator<Chunk, void, void> {
    for (let sent = 0; sent < packets; sent += rows) {
      for (let row = 0; row < rows; row++) {
        const random = this.#random();
        this.#write(this.#pick(), (random & 0x100) !== 0, (random & 0x200) === 0 ? ack : psh);
      }
      yield this.#lend();
    }
  }

  #pick(): number {
    const fraction = (this.#random() >>> 0) / 2 ** 32;
    return Math.floor(this.#order === 'random' ? fraction * this.flows : Math.exp(fraction * this.#logOfFlows) - 1);
  }

  #lend(): Chunk {
    const { count, ...columns } = this.#chunk;
    this.#chunk.count = 0;
    return { count, ...columns };
  }

  #write(flow: number, fromServer: boolean, flags: number): void {
    const row = this.#chunk.count++;
    const view = this.#view;
    const network = row * frameBytes + 14;
    const transport = network + 20;
    const client = 0x0a000000 + flow;
    const server = 0xcb007100 + (flow & 0x3f);
    const clientPort = 20_000 + (flow % 40_000);
    view.setUint16(network + 2, 40 + (flags === psh ? 50 : 0));
    view.setUint32(network + 12, fromServer ? server : client);
    view.setUint32(network + 16, fromServer ? client : server);
    view.setUint16(transport, fromServer ? 443 : clientPort);
    view.setUint16(transport + 2, fromServer ? clientPort : 443);
    view.setUint16(transport + 12, ((segmentHeader / 4) << 12) | flags);
    this.#clockUs[0]! += 1;
    this.#chunk.timesUs[row] = this.#clockUs[0]!;
  }

  /** 32 bits with a sign: mulberry32. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return mixed ^ (mixed >>> 14);
  }
}

function writeTemplate(view: DataView, at: number): void {
  view.setUint16(at, 0x0200);
  view.setUint16(at + 6, 0x0200);
  view.setUint16(at + 12, 0x0800);
  view.setUint16(at + 14, 0x4500);
  view.setUint16(at + 20, 0x4000);
  view.setUint16(at + 22, (64 << 8) | 6);
  view.setUint16(at + 14 + 20 + 14, 501);
}
