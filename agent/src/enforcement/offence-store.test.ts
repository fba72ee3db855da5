import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { MeasureRecord } from '@picket/shared/policy/measures';
import { expect, onTestFinished, test } from 'vitest';
import { OffenceStore } from './offence-store.ts';

const warnings: string[] = [];
const log = { warn: (text: string): void => void warnings.push(text) };
const dayUs = 86_400_000_000;
const startUs = 1_700_000_000_000_000;

function path(): string {
  const directory = mkdtempSync(join(tmpdir(), 'picket-offences-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  warnings.length = 0;
  return join(directory, 'offences.sqlite');
}

function record(changes: Partial<MeasureRecord> = {}): MeasureRecord {
  const { who = '203.0.113.9' } = changes;
  return {
    key: `block ip both ${who}`,
    ruleId: '019a0000-0000-7000-8000-000000000002',
    who,
    sinceUs: startUs,
    untilUs: startUs + 3_600_000_000,
    times: 1,
    step: 0,
    ...changes,
  };
}

/** What the next run finds. */
function reopen(file: string, capacity?: number): OffenceStore {
  const store = OffenceStore.open({ path: file, log, ...(capacity === undefined ? {} : { capacity }) });
  if (store === undefined) throw new Error(warnings.join('\n'));
  return store;
}

test('who was restricted is known to the next run, with what he did last', () => {
  const file = path();
  const second = record({ times: 2, sinceUs: startUs + dayUs, untilUs: startUs + 2 * dayUs, step: 1 });
  {
    using store = reopen(file);
    store.keep(record());
    store.keep(second);
    store.keep(record({ key: 'rate_limit ip+port to 192.168.1.20 tcp/80', who: null, times: 0 }));
  }
  using store = reopen(file);
  expect(store.known()).toMatchObject([{ who: null }, second]);
  expect(store.lifted()).toEqual([]);
});

test('what a person lifted is known as that, and its offender is forgiven all that he did under the rule', () => {
  const file = path();
  {
    using store = reopen(file);
    const pair = record({ key: 'block pair both 198.51.100.6 192.168.1.20', who: '192.168.1.20' });
    const whole = record({ key: 'quarantine device both 02:00:00:00:00:01', who: '192.168.1.20', times: 2, step: 1 });
    for (const one of [pair, whole, record()]) store.keep(one);
    store.lift({ ...whole, times: 0 });
  }
  using store = reopen(file);
  expect(store.lifted().map(({ key }) => key)).toEqual(['quarantine device both 02:00:00:00:00:01']);
  expect(
    store
      .known()
      .map(({ who, times }) => `${who} ${times}`)
      .toSorted(),
  ).toEqual(['192.168.1.20 0', '192.168.1.20 0', '203.0.113.9 1']);
});

test('it never outgrows its bound, and forgets what no rule asks for any more', () => {
  const file = path();
  {
    using store = reopen(file, 3);
    for (let host = 1; host <= 9; host++) {
      store.keep(record({ who: `203.0.113.${host}`, sinceUs: startUs + host, untilUs: startUs + host + 1 }));
    }
    expect(store.size).toBe(3);
  }
  using store = reopen(file, 3);
  expect(store.known().map(({ who }) => who)).toEqual(['203.0.113.7', '203.0.113.8', '203.0.113.9']);
  store.keep(record({ who: '203.0.113.10', sinceUs: startUs + 31 * dayUs, untilUs: startUs + 32 * dayUs }));
  expect(store.known().map(({ who }) => who)).toEqual(['203.0.113.10']);
});

test('a file that is none is moved aside, told of, and begun anew', () => {
  const file = path();
  writeFileSync(file, 'no database at all, and long enough to be looked at as one'.repeat(100));
  using store = reopen(file);
  store.keep(record());
  expect(store.size).toBe(1);
  expect(warnings).toEqual([expect.stringContaining('is a stranger again')]);
});

test('where there can be no file the agent starts without one, and says so', () => {
  expect(OffenceStore.open({ path: join(path(), 'no', 'such', 'folder'), log })).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test('what is told of at once is written at once, soon and without being closed', async () => {
  const file = path();
  using store = reopen(file);
  const other = new Database(file, { readonly: true });
  onTestFinished(() => void other.close());
  const count = (): unknown => other.prepare('SELECT count(*) FROM measure').pluck().get();
  for (let host = 0; host < 200; host++) store.keep(record({ who: `203.0.113.${host}`, sinceUs: startUs + host }));
  expect(count(), 'not one by one').toBe(0);
  await setImmediate();
  expect(count()).toBe(200);
});
