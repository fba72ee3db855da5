import { expect, test } from 'vitest';
import { formatRows } from './print-rows.ts';

const rows = [
  { id: 'a', score: 0.9, name: '=HYPERLINK("http://evil")', tags: ['x', 'y'], peer: null },
  { id: 'b', score: -1.5, name: 'door\u001B[2J', tags: [], peer: '@x' },
];

test('people get columns, and no control characters', () => {
  expect(formatRows(rows, ['id', 'score', 'peer', 'name'], 'human').split('\n')).toEqual([
    'id  score  peer  name',
    'a   0.9          =HYPERLINK("http://evil")',
    'b   -1.5   @x    door�[2J',
  ]);
  expect(formatRows([], ['id'], 'human')).toBe('nothing');
});

test('JSON carries everything as it is', () => {
  expect(JSON.parse(formatRows(rows, ['id'], 'json'))).toEqual(rows);
});

test('SEC-11 CSV has no cell that a spreadsheet would run', () => {
  expect(formatRows(rows, [], 'csv').split('\n')).toEqual([
    'id,score,name,tags,peer',
    `a,0.9,"'=HYPERLINK(""http://evil"")","[""x"",""y""]",`,
    "b,-1.5,door�[2J,[],'@x",
  ]);
});
