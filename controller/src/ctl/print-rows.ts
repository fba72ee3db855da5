/** Answers on the terminal: a table for people, JSON for programs, CSV for spreadsheets. */
import { stringify } from 'csv-stringify/sync';

export type OutputFormat = 'human' | 'json' | 'csv';
export type Row = Readonly<Record<string, unknown>>;

/** `columns` are what people see; JSON and CSV carry every member. */
export function formatRows(rows: readonly Row[], columns: readonly string[], format: OutputFormat): string {
  if (format === 'json') return JSON.stringify(rows, null, 2);
  if (format === 'csv') return csv(rows);
  if (rows.length === 0) return 'nothing';
  const table = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, index) => Math.max(...table.map((line) => (line[index] ?? '').length)));
  return table
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function csv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return stringify(
    rows.map((row) => columns.map((column) => harmless(cell(row[column])))),
    { header: true, columns },
  ).trimEnd();
}

/** A spreadsheet would run a cell that begins like a formula; agents and attackers choose some of these texts. */
function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^-?\d+(?:\.\d+)?$/.test(text) ? `'${text}` : text;
}

/** Control characters could move the cursor or colour a forged line. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, '�');
}
