import { expect, test } from 'vitest';
import { type Listed, RecencyList } from './recency-list.ts';

class Thing implements Listed<Thing> {
  readonly name: number;
  older: Thing | undefined;
  newer: Thing | undefined;

  constructor(name: number) {
    this.name = name;
  }
}

test('it says what a Map in order of use would say, whatever is used and removed', () => {
  const things = Array.from({ length: 20 }, (_, name) => new Thing(name));
  const list = new RecencyList<Thing>();
  const inOrder = new Map<number, Thing>();
  let seed = 1;
  for (let step = 0; step < 5000; step++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    const thing = things[(seed >>> 16) % things.length]!;
    inOrder.delete(thing.name);
    if ((seed >>> 8) % 4 === 0) {
      list.remove(thing);
    } else {
      list.touch(thing);
      inOrder.set(thing.name, thing);
    }
    expect(list.size).toBe(inOrder.size);
    expect(list.oldest).toBe(inOrder.values().next().value);
  }
  const leaving: number[] = [];
  for (let oldest = list.oldest; oldest !== undefined; oldest = list.oldest) {
    leaving.push(oldest.name);
    list.remove(oldest);
  }
  expect(leaving).toEqual([...inOrder.keys()]);
});
