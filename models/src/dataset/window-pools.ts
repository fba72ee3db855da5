/** Windows in groups within groups, so that each group can be drawn as often as any other. */

/** Windows of one group, as row numbers. */
export interface Pool {
  readonly name: string;
  readonly windows: Int32Array[];
}

/** Adds a window to the group `inner` of the group `outer`. */
export function collect(
  into: Map<string, Map<string, Int32Array[]>>,
  outer: string,
  inner: string,
  window: Int32Array,
): void {
  const groups = into.get(outer) ?? new Map<string, Int32Array[]>();
  into.set(outer, groups);
  const windows = groups.get(inner);
  if (windows === undefined) groups.set(inner, [window]);
  else windows.push(window);
}

/** Without the outer names, in the order in which they came. */
export function pools(from: Map<string, Map<string, Int32Array[]>>): Pool[][] {
  return [...from.values()].map((groups) => [...groups].map(([name, windows]) => ({ name, windows })));
}

export function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}
