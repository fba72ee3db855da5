import { expect, test } from 'vitest';
import { checkConnectionTable, checkFlowtables, checkForeignTables } from './doctor-kernel.ts';

const listing = (...entries: readonly object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6', json_schema_version: 1 } }, ...entries] });

test('a flowtable is named, with what it does to blocks and limits', () => {
  expect(checkFlowtables(listing())).toMatchObject({ state: 'ok' });
  const flowtable = { family: 'inet', name: 'fast', table: 'router', hook: 'ingress', prio: 0, dev: ['lan0', 'wan0'] };
  const finding = checkFlowtables(listing({ flowtable }));
  expect(finding.state).toBe('warning');
  expect(finding.detail).toContain('inet router fast');
  expect(finding.detail).toContain('conntrack');
});

test('tables of others are named, ours are not', () => {
  const tables = [
    { table: { family: 'ip', name: 'filter', handle: 1 } },
    { table: { family: 'inet', name: 'picket', handle: 2 } },
    { table: { family: 'inet', name: 'f2b-table', handle: 3 } },
  ];
  expect(checkForeignTables(listing(...tables)).detail).toMatch(/^ip filter, inet f2b-table: left alone/);
  expect(checkForeignTables(listing()).detail).toBe('none');
});

test('a connection table that is nearly full is a warning; where none is tracked it is said what a block costs', () => {
  expect(checkConnectionTable(10, 100)).toMatchObject({ state: 'ok', detail: '10 of 100 tracked' });
  expect(checkConnectionTable(90, 100)).toMatchObject({ state: 'warning' });
  expect(checkConnectionTable(90, 0), 'without a bound').toMatchObject({ state: 'ok' });
  for (const none of [checkConnectionTable(undefined, undefined), checkConnectionTable(0, 100)])
    expect(none).toMatchObject({ state: 'ok', detail: expect.stringMatching(/^none is tracked now; .* 18 %/) });
});
