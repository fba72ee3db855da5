/** Where the numbers of a flow stand in its record, and that nothing of the flow before is left there. */
import { expect, test } from 'vitest';
import { createPacketFields, field, tcpFlag } from '../packet/packet-fields.ts';
import {
  directionField,
  directionInt,
  flowByte,
  firstFlags,
  firstIsForward,
  firstWindow,
  flowField,
  flowInt,
  recordInts,
} from './flow-fields.ts';
import { addPacket, createRecords, type FlowRecords, openRecord } from './flow-record.ts';

const { forward, backward, ...wholeFlow } = flowField;
const { keyRest, ...ints } = flowInt;

/** The integers of a record that each of its numbers covers: a double covers two. */
const places: readonly (readonly [name: string, ...covered: number[]])[] = [
  ...Object.entries(wholeFlow).map(([name, word]) => [name, 2 * word, 2 * word + 1] as const),
  ...Object.entries(ints).map(([name, place]) => [name, place] as const),
  ['keyRest', ...Array.from({ length: 6 }, (_, word) => keyRest + word)],
  ...[forward, backward].flatMap((own) => [
    ...Object.entries(directionField).map(
      ([name, word]) => [`${own} ${name}`, 2 * (own + word), 2 * (own + word) + 1] as const,
    ),
    ...Object.entries(directionInt).map(([name, place]) => [`${own} ${name}`, 2 * own + place] as const),
  ]),
];

test('no two numbers of a record share memory, and all lie within it', () => {
  const owners = new Map<number, string>();
  for (const [name, ...covered] of places) {
    for (const place of covered) {
      expect(owners.get(place), `${name} at ${place}`).toBeUndefined();
      owners.set(place, name);
    }
  }
  expect(Math.min(...owners.keys())).toBe(0);
  expect(Math.max(...owners.keys())).toBeLessThan(recordInts);
});

/** Ten packets to and fro, with payload, every flag, and gaps that end bulks, subflows and active periods. */
function meter({ values, ints: integers }: FlowRecords, slot: number, startsForward: boolean): void {
  const packet = createPacketFields();
  const atUs = Float64Array.of(1_700_000_000_000_000);
  packet[field.headerBytes] = 20;
  packet[field.window] = 65_535;
  openRecord(values, integers, slot, startsForward, packet, 0, atUs, field.payloadBytes);
  for (let turn = 0; turn < 10; turn++) {
    atUs[0]! += turn % 4 === 3 ? 6_000_000 : 1000;
    packet[field.payloadBytes] = 100 * turn;
    packet[field.flags] = 1 << (turn % 8);
    addPacket(values, integers, slot, turn % 3 === 0, packet, 0, atUs, field.payloadBytes, true);
  }
}

test.each([true, false])('whatever stood in a record, a flow begins afresh in it; forward %s', (startsForward) => {
  const fresh = createRecords(3);
  const used = createRecords(3);
  used.ints.fill(-1);
  meter(fresh, 1, startsForward);
  meter(used, 1, startsForward);
  const kept = new Set([
    flowByte.tcpState >> 2,
    ...Array.from({ length: 4 }, (_, place) => place),
    ...places.find(([name]) => name === 'keyRest')!.slice(1),
  ]);
  for (let place = 0; place < recordInts; place++) {
    const at = recordInts + place;
    expect(used.ints[at], `integer ${place}`).toBe(kept.has(place) ? -1 : fresh.ints[at]);
  }
  // Its neighbours are left alone.
  const neighbours = [...used.ints.subarray(0, recordInts), ...used.ints.subarray(2 * recordInts)];
  expect(neighbours.every((value) => value === -1)).toBe(true);
});

test('the first packet comes out of its number as it went in', () => {
  const { values, ints: integers } = createRecords(1);
  const packet = createPacketFields();
  packet[field.flags] = tcpFlag.cwr | tcpFlag.fin;
  packet[field.window] = 65_535;
  for (const startsForward of [true, false]) {
    openRecord(values, integers, 0, startsForward, packet, 0, Float64Array.of(1), field.payloadBytes);
    const packed = integers[flowInt.firstPacket]!;
    expect([firstFlags(packed), firstIsForward(packed), firstWindow(packed)]).toEqual([0x81, startsForward, 65_535]);
  }
});
