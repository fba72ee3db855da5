/** Value by value, within a relative tolerance; what a known artefact of the reference explains is counted apart. */
import { featureNames } from '../../shared/src/features/feature-schema.ts';
import type { FlowLine } from './flow-line.ts';
import { referenceArtefacts } from './reference-artefacts.ts';

export interface Comparison {
  readonly ours: number;
  readonly theirs: number;
  /** Values that were compared, those of artefacts included. */
  readonly values: number;
  readonly differences: readonly string[];
  /** By artefact: rows of the reference that we have not, and values set aside. */
  readonly setAside: ReadonlyMap<string, { rows: number; values: number }>;
}

const tolerance = 1e-9;

export function compareFlows(ours: readonly FlowLine[], theirs: readonly FlowLine[]): Comparison {
  const unmatched = new Map<string, FlowLine[]>();
  for (const line of ours) {
    const same = unmatched.get(line.key);
    if (same === undefined) unmatched.set(line.key, [line]);
    else same.push(line);
  }
  const differences: string[] = [];
  const setAside = new Map<string, { rows: number; values: number }>();
  const aside = (id: string): { rows: number; values: number } => {
    const count = setAside.get(id) ?? { rows: 0, values: 0 };
    setAside.set(id, count);
    return count;
  };
  let values = 0;
  for (const line of theirs) {
    const artefact = referenceArtefacts.find((one) => one.covers(line));
    const mine = unmatched.get(line.key)?.shift();
    if (mine === undefined) {
      if (artefact !== undefined && artefact.columns === undefined) aside(artefact.id).rows++;
      else differences.push(`only in the reference: ${line.key}`);
      continue;
    }
    if (line.values.length !== mine.values.length) differences.push(`${line.key}: ${line.values.length} columns`);
    for (const [index, value] of line.values.entries()) {
      values++;
      if (isClose(mine.values[index]!, value)) continue;
      const name = featureNames[index]!;
      if (artefact?.columns?.has(name) === true) aside(artefact.id).values++;
      else differences.push(`${line.key} ${name}: ${mine.values[index]} for ${value}`);
    }
  }
  for (const [key, lines] of unmatched) {
    for (let left = 0; left < lines.length; left++) differences.push(`only in ours: ${key}`);
  }
  return { ours: ours.length, theirs: theirs.length, values, differences, setAside };
}

function isClose(mine: number, theirs: number): boolean {
  if (Object.is(mine, theirs) || mine === theirs) return true;
  if (!Number.isFinite(mine) || !Number.isFinite(theirs)) return false;
  return Math.abs(mine - theirs) <= tolerance * Math.max(Math.abs(mine), Math.abs(theirs));
}
