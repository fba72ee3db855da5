/** The log-in that `picketctl login` keeps: address and tokens, readable by their owner only. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const StoredLogin = z.object({ url: z.url(), access_token: z.string(), refresh_token: z.string() });
export type StoredLogin = z.infer<typeof StoredLogin>;

export function loginFile(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'picket', 'login.json');
}

/** Undefined where nobody is logged in. */
export async function readLogin(file: string): Promise<StoredLogin | undefined> {
  try {
    return StoredLogin.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined; // absent or not ours: log in again
  }
}

export async function writeLogin(file: string, login: StoredLogin): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(login), { mode: 0o600 });
  await rename(temporary, file);
}

export async function forgetLogin(file: string): Promise<void> {
  await rm(file, { force: true });
}
