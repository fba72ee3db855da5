/** Files that hold keys: readable by their owner only, and whole or absent after a crash. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';

/** Undefined when there is no such file. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Mode 0600 in a folder of mode 0700; replaces what was there. */
export function writePrivateFile(path: string, text: string): void {
  renameSync(writeBeside(path, text), path);
  syncFolder(path);
}

/**
 * As `writePrivateFile`, but the first of two processes wins: returns what the file holds afterwards, be it ours or the
 * other's.
 */
export function createPrivateFile(path: string, text: string): string {
  const temporary = writeBeside(path, text);
  try {
    linkSync(temporary, path); // fails where the name is taken, unlike rename
    syncFolder(path);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8');
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeBeside(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
