/** A password from the terminal without showing it, or the first line of stdin. Never an argument: those are public. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartFailure, exitCodes } from '../errors.ts';

export async function readPassword(prompt: string): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  try {
    for await (const line of lines) if (line !== '') return line;
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
  throw new StartFailure('no password: type it, or give it as the first line of stdin', exitCodes.usage);
}
