/** Which earlier row each row of a pack is like, and which rows stand together: from the keys alone, so that a reader finds the same. */
import type { FlowColumns } from './flow-columns.ts';

export class Kinship {
  /** The last row before this one of the same flow, of which this one is a later report; -1 where there is none. */
  readonly sameFlow: Int32Array;
  /** That row; or else the last one of the same service, device and peer; or else of the same service; or else the row before. */
  readonly like: Int32Array;
  /** Where the row stands: by service, then by device and peer, then in the order of the rows. */
  readonly place: Int32Array;

  constructor(rows: number) {
    this.sameFlow = new Int32Array(rows);
    this.like = new Int32Array(rows);
    this.place = new Int32Array(rows);
  }

  joinFlows(flowNumber: Uint32Array): void {
    const last = new Map<number, number>();
    for (const [row, flow] of flowNumber.entries()) {
      this.sameFlow[row] = last.get(flow) ?? -1;
      last.set(flow, row);
    }
  }

  joinServices({ device, peer, port, protocol }: FlowColumns): void {
    const pairs = new Map<number, number>();
    const groups = new Float64Array(device.length);
    const inGroup = new Map<number, { last: number; rows: number }>();
    const lastOfService = new Map<number, number>();
    for (let row = 0; row < groups.length; row++) {
      const pair = device[row]! * 65_536 + peer[row]!;
      const service = protocol[row]! * 65_536 + port[row]!;
      if (!pairs.has(pair)) pairs.set(pair, pairs.size);
      const group = service * 2 ** 28 + pairs.get(pair)!;
      groups[row] = group;
      const kin = inGroup.get(group);
      const flow = this.sameFlow[row]!;
      this.like[row] = flow >= 0 ? flow : (kin?.last ?? lastOfService.get(service) ?? row - 1);
      if (kin === undefined) inGroup.set(group, { last: row, rows: 1 });
      else {
        kin.last = row;
        kin.rows++;
      }
      lastOfService.set(service, row);
    }
    const next = new Map<number, number>();
    let place = 0;
    for (const group of Float64Array.from(inGroup.keys()).sort()) {
      next.set(group, place);
      place += inGroup.get(group)!.rows;
    }
    for (const [row, group] of groups.entries()) {
      const here = next.get(group)!;
      this.place[row] = here;
      next.set(group, here + 1);
    }
  }
}
