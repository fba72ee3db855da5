/** What must be true of the columns of a pack, whoever made it: readers look up what they point to, and count in whole times. */
import { featureCount } from '@picket/shared/features/feature-schema';
import type { FlowColumns } from './flow-columns.ts';

/** A column that points into a list of the header. */
interface Pointer {
  readonly column: 'device' | 'otherDevice' | 'peer' | 'episode' | 'direction';
  readonly list: 'addresses' | 'episodes' | 'directions';
  /** Of the list. */
  readonly length: number;
  /** The value that points to nothing, where the column knows one. */
  readonly none?: number;
}

/** The first fault, by column and row; undefined where there is none. */
export function faultOf(columns: FlowColumns, rows: number, pointers: readonly Pointer[]): string | undefined {
  for (const column of Object.keys(columns) as (keyof FlowColumns)[]) {
    const { length } = columns[column];
    const values = column === 'features' ? rows * featureCount : rows;
    if (length !== values) return `${column} holds ${length} values, and ${rows} rows have ${values}`;
  }
  for (const column of ['startUs', 'lastUs'] as const) {
    const row = columns[column].findIndex((time) => !Number.isSafeInteger(time) || time < 0);
    if (row >= 0) return `${column} of row ${row} is ${columns[column][row]}, no whole microseconds since 1970`;
  }
  for (const { column, list, length, none } of pointers) {
    const values = columns[column];
    const row = values.findIndex((value) => value >= length && value !== none);
    if (row >= 0) return `${column} of row ${row} is ${values[row]}, and there are ${length} ${list}`;
  }
  return undefined;
}
