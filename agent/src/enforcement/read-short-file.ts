/**
 * Reads what other programs of this host are told in. Whoever may write there may not make the agent wait: a pipe that
 * nobody writes to would hold one of the few threads that all files are read by, for good.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Whatever is longer is no list of a few servers, and read every half a minute it would cost a small box dearly. */
const maxBytes = 131_072;

/** The text of a file; empty where there is none, none that may be read, more than that, or something else of the name. */
export async function readShortFile(path: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxBytes) return '';
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1)); // it may have grown since
    return bytesRead > maxBytes ? '' : buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}
