/** A small share of a source's labelled windows, to go on learning from, and what of the source is kept from it. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { windowAt } from './evaluation-windows.ts';
import { labelWindow } from './label-window.ts';
import type { Dataset, Part, WindowSequence } from './flow-rows.ts';
import { seededRandom, shuffle } from './seeded-random.ts';
import { windowsOf } from './without-classes.ts';

/** Of the share: so much is not learnt from, but has a say in the threshold, where it shares no flow with what is learnt. */
const checkedShare = 0.2;

export interface SiteShare {
  /** To learn from (`train`), to choose the threshold by (`validation`) and held out (`test`). */
  readonly sequences: WindowSequence[];
  /** Whether what is held out was a part of its own before; else it is whatever shares no flow with the share. */
  readonly isSplit: boolean;
  /** Runs of attacks of which any flow was learnt from or chosen by. */
  readonly takenRuns: ReadonlySet<number>;
  /** Runs of attacks that could be found in what is held out: some of their flows are in it, and none was taken. */
  readonly testedRuns: ReadonlySet<number>;
  /** Of each class: windows there were to take from, and how many were taken. */
  readonly taken: { readonly class: string; readonly windows: number; readonly taken: number }[];
}

/**
 * Of each class the same share of the windows, in whole runs of them as somebody labels them: stretches in an order that
 * `seed` draws, each from its beginning, until there are enough. Of a source with training and test parts the first alone is
 * taken from and the second held out, of any other all of it; in either case without windows that hold a flow, whichever
 * report of it, of a window that was taken. A connection that is open all the time keeps every window that shows it out of
 * that.
 * @throws {Error} where the dataset holds nothing of the source, or no benign window to take, and for a share of nothing
 */
export function takeShare({ rows, sequences }: Dataset, source: string, share: number, seed: number): SiteShare {
  const own = sequences.filter((sequence) => sequence.source === source);
  if (own.length === 0) throw new Error(`there is no source "${source}" among what was read`);
  const isSplit = own.some(({ part }) => part === 'train') && own.some(({ part }) => part === 'test');
  const from = isSplit ? own.filter(({ part }) => part === 'train') : own;
  const byClass = Map.groupBy(labelledWindows(rows, shuffle([...from], seededRandom(seed))), ({ label }) => label);
  if (share <= 0) throw new Error('a share of nothing teaches nothing: give --share more than 0');
  if (!byClass.has(0)) throw new Error(`of "${source}" there is no benign window to learn from`);
  const learnt: LabelledWindow[] = [];
  const checked: LabelledWindow[] = [];
  const taken: SiteShare['taken'] = [];
  for (const [label, windows] of [...byClass].sort(([a], [b]) => a - b)) {
    const some = windows.slice(0, Math.ceil(windows.length * share));
    const learns = Math.ceil(some.length * (1 - checkedShare));
    learnt.push(...some.slice(0, learns));
    checked.push(...some.slice(learns));
    taken.push({ class: trafficClasses[label]!, windows: windows.length, taken: some.length });
  }
  const learntRows = withReports(rows, own, rowsOf(learnt));
  const takenRows = withReports(rows, own, rowsOf([...learnt, ...checked]));
  const isOf = (found: ReadonlySet<number>) => (window: Int32Array) => window.some((row) => row >= 0 && found.has(row));
  const isLearnt = isOf(learntRows);
  const isTaken = isOf(takenRows);
  const heldOut = own
    .filter(({ part }) => !isSplit || part === 'test')
    .map((sequence) => windowsOf({ ...sequence, part: 'test' }, (window) => !isTaken(window)))
    .filter(({ windows }) => windows.length > 0);
  const takenRuns = runsOf(rows, takenRows);
  return {
    sequences: [
      ...partOf(learnt, 'train'),
      ...partOf(checked, 'validation', (window) => !isLearnt(window)),
      ...heldOut,
    ],
    isSplit,
    takenRuns,
    testedRuns: runsOf(rows, rowsIn(heldOut)).difference(takenRuns),
    taken,
  };
}

interface LabelledWindow {
  readonly sequence: WindowSequence;
  readonly number: number;
  readonly label: number;
}

function labelledWindows(rows: Dataset['rows'], sequences: readonly WindowSequence[]): LabelledWindow[] {
  return sequences.flatMap((sequence) =>
    Array.from({ length: sequence.windows.length / windowLength }, (_, number) => {
      const label = labelWindow(rows, windowAt(sequence, number));
      return label === undefined ? undefined : { sequence, number, label };
    }).filter((window) => window !== undefined),
  );
}

function rowsOf(windows: readonly LabelledWindow[]): Set<number> {
  return new Set(windows.flatMap(({ sequence, number }) => [...windowAt(sequence, number)].filter((row) => row >= 0)));
}

function rowsIn(sequences: readonly WindowSequence[]): Set<number> {
  const found = new Set<number>();
  for (const { windows } of sequences) for (const row of windows) if (row >= 0) found.add(row);
  return found;
}

/**
 * And all other rows of the same flows. A flow that goes on is reported again and again, each time in a row of its own, and
 * once more for a second device at its other end.
 */
function withReports(
  rows: Dataset['rows'],
  sequences: readonly WindowSequence[],
  found: ReadonlySet<number>,
): Set<number> {
  const flows = new Set([...found].map((row) => flowOf(rows, row)));
  return new Set([...rowsIn(sequences)].filter((row) => flows.has(flowOf(rows, row))));
}

/** The same for each report: of two hosts, flows that began in the same microsecond are one. Tables know neither; there each row is a flow. */
function flowOf({ pairs, startUs }: Dataset['rows'], row: number): number | string {
  const isKnown = pairs[row]! >= 0 && !Number.isNaN(startUs[row]!);
  return isKnown ? `${pairs[row]} ${startUs[row]}` : row;
}

function runsOf({ episodes }: Dataset['rows'], found: ReadonlySet<number>): Set<number> {
  return new Set([...found].map((row) => episodes[row]!).filter((run) => run >= 0));
}

/** These windows of each stretch, as a stretch of that part. */
function partOf(
  windows: readonly LabelledWindow[],
  part: Part,
  passes: (window: Int32Array) => boolean = () => true,
): WindowSequence[] {
  return [...Map.groupBy(windows, ({ sequence }) => sequence)]
    .map(([sequence, members]) => {
      const numbers = new Set(members.map(({ number }) => number));
      return windowsOf({ ...sequence, part }, (window, number) => numbers.has(number) && passes(window));
    })
    .filter(({ windows: kept }) => kept.length > 0);
}
