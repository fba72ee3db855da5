import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { decision } from '../testing/decisions.ts';
import { readStoredDecisions } from './decision-rows.ts';
import { DecisionStore } from './decision-store.ts';
import { SteadyClock, type TimeSource } from './steady-clock.ts';
import { seenEveryMs } from './time-left.ts';

const minute = 60_000;
const start = Date.UTC(2026, 5, 1, 12);

/** A machine whose clock can be set and that can be rebooted. */
class Machine {
  bootId = 'first';
  uptime = 10 * minute;
  wall = start;

  pass(ms: number): void {
    this.uptime += ms;
    this.wall += ms;
  }

  reboot(wall: number): void {
    this.bootId = `after ${this.bootId}`;
    this.uptime = minute;
    this.wall = wall;
  }

  get time(): TimeSource {
    return { bootId: this.bootId, uptimeMs: () => this.uptime, wallMs: () => this.wall };
  }
}

function path(): string {
  const directory = mkdtempSync(join(tmpdir(), 'picket-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'decisions.sqlite');
}

/** Minutes left of each, by the clock it is to be judged by. */
function minutesLeft(store: DecisionStore, clock: SteadyClock): readonly number[] {
  return store.all().map(({ expires_at }) => Math.round((Date.parse(expires_at) - clock.now()) / 6000) / 10);
}

function open(file: string, machine: Machine): { store: DecisionStore; clock: SteadyClock } {
  const clock = new SteadyClock(machine.time);
  return { store: DecisionStore.open({ path: file, clock }), clock };
}

test.each([0, 1, 49, 50, 51, 137])('%i decisions at once, each with its own end, all come back', (count) => {
  const [file, machine] = [path(), new Machine()];
  const made = Array.from({ length: count }, (_, index) =>
    decision({ expires_at: new Date(machine.wall + (index + 5) * minute).toISOString() }, machine.wall),
  );
  const { store } = open(file, machine);
  store.put(made.toReversed());
  store[Symbol.dispose]();
  machine.reboot(machine.wall + minute);
  const { store: again, clock } = open(file, machine);
  const byId = new Map(again.all().map((one) => [one.id, one]));
  expect(byId.size).toBe(count);
  expect(minutesLeft(again, clock).toSorted((a, b) => a - b)).toEqual(made.map((_, index) => index + 4));
  for (const { id, value } of made) expect(byId.get(id)?.value).toBe(value);
  again[Symbol.dispose]();
});

test('a restart in the same boot keeps each end, and its text', () => {
  const [file, machine] = [path(), new Machine()];
  const block = decision({}, machine.wall);
  {
    const { store } = open(file, machine);
    store.put([block]);
    store[Symbol.dispose]();
  }
  machine.pass(3 * minute);
  const { store, clock } = open(file, machine);
  expect(store.all()).toEqual([block]);
  expect(minutesLeft(store, clock)).toEqual([7]);
  expect(readStoredDecisions(file)).toEqual([block]);
  store[Symbol.dispose]();
});

test('a clock that is set while the agent is away, back or forward, neither extends nor ends anything', () => {
  for (const by of [-10 * 365 * 24 * 60 * minute, -minute, 30 * minute, 10 * 365 * 24 * 60 * minute]) {
    const [file, machine] = [path(), new Machine()];
    const first = open(file, machine);
    first.store.put([decision({}, machine.wall)]);
    first.store[Symbol.dispose]();
    machine.pass(3 * minute);
    machine.wall += by;
    const { store, clock } = open(file, machine);
    expect(minutesLeft(store, clock)).toEqual([7]);
    expect(store.overdue()).toEqual([]);
    store[Symbol.dispose]();
  }
});

test('a clock that is set while the agent runs does not move what was stored', () => {
  const [file, machine] = [path(), new Machine()];
  const first = open(file, machine);
  first.store.put([decision({}, machine.wall)]);
  machine.wall += 24 * 60 * minute;
  machine.pass(2 * minute);
  first.store.seen();
  first.store[Symbol.dispose]();
  const { store, clock } = open(file, machine);
  expect(minutesLeft(store, clock)).toEqual([8]);
  // and after a reboot with the right clock it still ends when it should
  store[Symbol.dispose]();
  machine.reboot(machine.wall + minute);
  const second = open(file, machine);
  expect(minutesLeft(second.store, second.clock)).toEqual([7]);
  second.store[Symbol.dispose]();
});

test.each([
  ['a decision more', (store: DecisionStore, nowMs: number) => store.put([decision({ value: '203.0.113.2' }, nowMs)])],
  ['one less', (store: DecisionStore) => store.remove([store.all()[1]!.id])],
  ['one lifted', (store: DecisionStore, nowMs: number) => store.lift([store.all()[1]!.id], nowMs)],
  ['a stop', (store: DecisionStore) => store[Symbol.dispose]()],
])('%s is the first that is written after the clock was set, and costs no other its time', (_, change) => {
  for (const by of [-5 * 60 * minute, 5 * 60 * minute]) {
    const [file, machine] = [path(), new Machine()];
    const { store, clock } = open(file, machine);
    store.put([decision({}, clock.now()), decision({ value: '203.0.113.1' }, clock.now())]);
    const [{ id } = { id: '' }] = store.all();
    machine.wall += by;
    change(store, clock.now());
    // the machine loses its power before the agent says again that it runs
    machine.pass(seenEveryMs);
    machine.reboot(machine.wall + minute);
    const again = open(file, machine);
    const index = again.store.all().findIndex((held) => held.id === id);
    expect(minutesLeft(again.store, again.clock)[index]).toBe(10 - seenEveryMs / minute - 1);
    expect(again.store.overdue()).toEqual([]);
    again.store[Symbol.dispose]();
  }
});

test('a clock that is moved a little at a time has decisions written anew only now and then', () => {
  const [file, machine] = [path(), new Machine()];
  const { store } = open(file, machine);
  store.put(Array.from({ length: 100 }, () => decision({}, machine.wall)));
  machine.wall += 60 * minute;
  store.seen();
  using database = watchWrites(file);
  for (let second = 0; second < 100; second += 1) {
    machine.pass(1000);
    machine.wall += 15; // 1.5 s in all
    store.seen();
  }
  expect(database.written()['decision']).toBe(100);
  store[Symbol.dispose]();
});

test('after a reboot without a clock what was left is left, and the right time ends it when it comes', () => {
  const [file, machine] = [path(), new Machine()];
  const first = open(file, machine);
  const block = decision({}, machine.wall);
  first.store.put([block]);
  machine.pass(4 * minute);
  first.store[Symbol.dispose]();
  machine.reboot(Date.UTC(1970, 0, 1));
  const { store, clock } = open(file, machine);
  expect(minutesLeft(store, clock)).toEqual([6]);
  expect(store.overdue()).toEqual([]);
  machine.wall = start + 9 * minute;
  expect(store.overdue()).toEqual([]);
  machine.wall = start + 11 * minute;
  expect(store.overdue()).toEqual([block.id]);
  store.remove(store.overdue());
  expect(store.overdue()).toEqual([]);
  store[Symbol.dispose]();
});

test('an end that nobody announced is counted, and costs what may have passed unseen', () => {
  const [file, machine] = [path(), new Machine()];
  const first = open(file, machine);
  onTestFinished(() => first.store[Symbol.dispose]());
  expect(first.store.unexpectedEnds).toBe(0);
  first.store.put([decision({}, machine.wall)]);
  // the machine loses its power here: nobody closed the store
  machine.reboot(Date.UTC(1970, 0, 1));
  const { store, clock } = open(file, machine);
  expect(store.unexpectedEnds).toBe(1);
  expect(minutesLeft(store, clock)).toEqual([10 - seenEveryMs / minute]);
  store[Symbol.dispose]();
});

test('a file of an earlier version is read, and what it held ends by its own text', () => {
  const [file, machine] = [path(), new Machine()];
  {
    using store = DecisionStore.open({ path: file });
    store.put([decision({}, machine.wall)]);
  }
  machine.pass(minute);
  const { store, clock } = open(file, machine);
  expect(minutesLeft(store, clock)).toEqual([9]);
  store[Symbol.dispose]();
});

test('what was lifted stays lifted after a start, whatever fraction of a millisecond the clock shows', () => {
  const file = path();
  const lifted = decision({});
  {
    using store = DecisionStore.open({ path: file });
    store.put([lifted]);
    store.lift([lifted.id], start + 0.25);
  }
  using store = DecisionStore.open({ path: file });
  expect([store.all(), [...store.liftedAmong([lifted.id, 'another'])]]).toEqual([[], [lifted.id]]);
});

test('a restart writes no decision again in the same boot, and their ends only after a reboot', () => {
  const [file, machine] = [path(), new Machine()];
  const first = open(file, machine);
  first.store.put(Array.from({ length: 1000 }, (_, index) => decision({ value: `100.64.0.${index}` }, machine.wall)));
  first.store[Symbol.dispose]();
  using database = watchWrites(file);
  machine.pass(minute);
  open(file, machine).store[Symbol.dispose]();
  expect(database.written()).toEqual({ decision: 0, decision_end: 0 });
  machine.reboot(machine.wall + minute);
  open(file, machine).store[Symbol.dispose]();
  expect(database.written()['decision_end']).toBe(1000);
});

/** Counts the rows that are written from here on. */
function watchWrites(file: string): Disposable & { written(): Readonly<Record<string, number>> } {
  const tables = ['decision', 'decision_end'];
  const database = new Database(file);
  database.exec('CREATE TABLE written (name TEXT)');
  for (const name of tables) {
    database.exec(
      `CREATE TRIGGER watch_${name} AFTER INSERT ON ${name} BEGIN INSERT INTO written VALUES ('${name}'); END`,
    );
  }
  const count = database.prepare('SELECT count(*) FROM written WHERE name = ?').pluck();
  return {
    written: () => Object.fromEntries(tables.map((name) => [name, Number(count.get(name))])),
    [Symbol.dispose]: () => database.close(),
  };
}
