import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { flowField, recordWords } from './flow-fields.ts';
import { keyField, keyWords } from './flow-key.ts';
import { FlowTable, queue } from './flow-table.ts';

vi.setConfig({ testTimeout: 120_000 });

function keyOf(id: number): Int32Array {
  const key = new Int32Array(keyWords);
  key[keyField.high] = id;
  key[keyField.protocolAndFamily] = (6 << 8) | 4;
  return key;
}

test('finds what was inserted and nothing that was removed or cleared away, however badly the hashes collide', () => {
  const step = fc.record({
    id: fc.nat(40),
    does: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'remove', 'clear'),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.constantFrom(1, 3, 1000),
      fc.integer({ min: 1, max: 24 }),
      (steps, spread, firstRoom) => {
        const table = new FlowTable(24, firstRoom);
        const model = new Map<number, number>();
        for (const { id, does } of steps) {
          const known = model.get(id);
          expect(table.find(keyOf(id), 0, id % spread)).toBe(known ?? -1);
          if (does === 'insert' && known === undefined && !table.full) {
            model.set(id, table.insert(keyOf(id), 0, id % spread));
          } else if (does === 'remove' && known !== undefined) {
            table.remove(known);
            model.delete(id);
          } else if (does === 'clear') {
            table.clear();
            model.clear();
          }
          expect(table.used).toBe(model.size);
        }
        for (const [id, slot] of model) expect(table.find(keyOf(id), 0, id % spread)).toBe(slot);
        expect(new Set(model.values()).size).toBe(model.size);
      },
    ),
  );
});

test('IPv6 conversations that differ in one word of an address are two, also with the same hash', () => {
  const table = new FlowTable(8);
  const keys = Array.from({ length: 7 }, (_, index) => {
    const key = new Int32Array(keyWords);
    key[keyField.protocolAndFamily] = (6 << 8) | 6;
    if (index > 0) key[keyField.rest + index - 1] = 1;
    return key;
  });
  const slots = keys.map((key) => {
    expect(table.find(key, 0, 77)).toBe(-1);
    return table.insert(key, 0, 77);
  });
  expect(keys.map((key) => table.find(key, 0, 77))).toEqual(slots);
});

test('the index grows with the table, and tells hashes apart by bits that choose no place', () => {
  const count = 20_000;
  const table = new FlowTable(count);
  // Every third shares its lower bits with eighty others; the last hash looks like an empty place.
  const hashOf = (id: number): number =>
    id === count - 1 ? -1 : id % 3 === 0 ? (id << 22) | (id & 255) : Math.imul(id, 0x9e3779b1);
  const slots = Array.from({ length: count }, (_, id) => table.insert(keyOf(id), 0, hashOf(id)));
  expect(new Set(slots).size).toBe(count);
  for (let id = 0; id < count; id += 2) table.remove(slots[id]!);
  const found = slots.map((_, id) => table.find(keyOf(id), 0, hashOf(id)));
  expect(found).toEqual(slots.map((slot, id) => (id % 2 === 0 ? -1 : slot)));
  table.clear();
  expect(slots.map((_, id) => table.find(keyOf(id), 0, hashOf(id)))).toEqual(slots.map(() => -1));
  const again = table.insert(keyOf(7), 0, hashOf(7));
  expect(table.find(keyOf(7), 0, hashOf(7))).toBe(again);
});

test('a table that grows keeps what it holds, and ends at its capacity', () => {
  const table = new FlowTable(7, 2);
  for (let id = 0; id < 7; id++) {
    const slot = table.insert(keyOf(id), 0, id);
    table.records.values[slot * recordWords + flowField.startedAtUs] = 1000 + id;
    table.macs.fill(id + 1, slot * 12, slot * 12 + 12);
    table.enqueue(slot, id % 2 === 0 ? queue.halfOpen : queue.answered);
  }
  expect(table.full).toBe(true);
  const slots = Array.from({ length: 7 }, (_, id) => table.find(keyOf(id), 0, id));
  expect(slots.map((slot) => table.records.values[slot * recordWords + flowField.startedAtUs]! - 1000)).toEqual([
    0, 1, 2, 3, 4, 5, 6,
  ]);
  expect(slots.map((slot) => table.macs[slot * 12 + 11])).toEqual([1, 2, 3, 4, 5, 6, 7]);
  for (const slot of slots) {
    expect(table.oldest(slots.indexOf(slot) % 2 === 0 ? queue.halfOpen : queue.answered)).toBe(slot);
    table.remove(slot);
  }
  expect(table.used).toBe(0);
});

test('queues give the oldest first, and a slot stands in one of them', () => {
  const table = new FlowTable(4);
  const [a, b, c] = [1, 2, 3].map((id) => table.insert(keyOf(id), 0, id)) as [number, number, number];
  for (const slot of [a, b, c]) table.enqueue(slot, queue.halfOpen);
  table.enqueue(a, queue.answered);
  expect([table.oldest(queue.halfOpen), table.oldest(queue.answered), table.oldest(queue.over)]).toEqual([b, a, -1]);
  table.remove(b);
  expect(table.oldest(queue.halfOpen)).toBe(c);
  table.leaveQueue(c);
  expect(table.oldest(queue.halfOpen)).toBe(-1);
});
