/**
 * The owner's word that this gateway restricts nothing for now, on disk, so that no restart blocks again behind his
 * back. Written by `picket-agent fail-open`, with or without a running agent; read before every change of the kernel.
 */
import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { SteadyClock } from './steady-clock.ts';

const HeldOpenMark = z.object({
  /** Milliseconds since 1970. */
  since_ms: z.number(),
  /** Null: until the owner resumes. */
  until_ms: z.number().nullable(),
  /** The same moment by the time since boot: exact while the machine stays up, whatever its clock does. */
  boot_id: z.string(),
  until_uptime_ms: z.number().nullable(),
  who: z.string().max(100),
});
export type HeldOpenMark = z.infer<typeof HeldOpenMark>;

export function heldOpenPath(stateDirectory: string): string {
  return join(stateDirectory, 'fail-open.json');
}

/** `seconds`: null for until resumed. Throws where the disk will not take it. */
export function markHeldOpen(
  stateDirectory: string,
  { seconds, who, clock }: { readonly seconds: number | null; readonly who: string; readonly clock: SteadyClock },
): HeldOpenMark {
  const mark: HeldOpenMark = {
    since_ms: readHeldOpen(stateDirectory, clock)?.since_ms ?? clock.wallMs(),
    until_ms: seconds === null ? null : clock.wallMs() + seconds * 1000,
    boot_id: clock.bootId,
    until_uptime_ms: seconds === null ? null : clock.uptimeMs() + seconds * 1000,
    who,
  };
  writeSynced(heldOpenPath(stateDirectory), JSON.stringify(mark));
  return mark;
}

/** False where there was none. */
export function removeHeldOpen(stateDirectory: string): boolean {
  const path = heldOpenPath(stateDirectory);
  try {
    rmSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  syncDirectory(dirname(path));
  return true;
}

/** Undefined where the gateway may restrict. A mark that cannot be read still is one: its owner asked for it. */
export function readHeldOpen(stateDirectory: string, clock: SteadyClock): HeldOpenMark | undefined {
  let text: string;
  try {
    text = readFileSync(heldOpenPath(stateDirectory), 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : unreadable;
  }
  const mark = parseMark(text);
  if (mark.until_ms === null) return mark;
  const isOver =
    mark.boot_id === clock.bootId && mark.until_uptime_ms !== null
      ? clock.uptimeMs() >= mark.until_uptime_ms
      : clock.wallMs() >= mark.until_ms;
  return isOver ? undefined : mark;
}

/** For people. */
export function describeHeldOpen(mark: HeldOpenMark): string {
  const until = mark.until_ms === null ? 'until it is resumed' : `until ${new Date(mark.until_ms).toISOString()}`;
  return `held open ${until} (${mark.who}); \`picket-agent fail-open --resume\` ends it`;
}

const unreadable: HeldOpenMark = {
  since_ms: 0,
  until_ms: null,
  boot_id: '',
  until_uptime_ms: null,
  who: 'fail-open.json cannot be read',
};

function parseMark(text: string): HeldOpenMark {
  try {
    return HeldOpenMark.safeParse(JSON.parse(text)).data ?? unreadable;
  } catch {
    return unreadable;
  }
}

function writeSynced(path: string, text: string): void {
  const part = `${path}.part`;
  const file = openSync(part, 'w', 0o644);
  try {
    fchmodSync(file, 0o644); // an agent of another user must be able to read what root wrote
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
  syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
