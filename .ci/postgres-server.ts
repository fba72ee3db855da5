/** A PostgreSQL server from the system's packages in a temporary folder, reached by a socket file only. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startDeadlineMs = 180_000;

/** The servers refuse to run as root: there they run as the user `postgres`. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ask = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: ask('-u'), gid: ask('-g') };
}

export function runAsPostgres(program: string, parameters: readonly string[]): void {
  const base = '/usr/lib/postgresql';
  const folders = existsSync(base) ? readdirSync(base).map((version) => join(base, version, 'bin')) : [];
  const { status, stderr, error } = spawnSync(program, parameters, {
    ...serverUser(),
    cwd: '/',
    encoding: 'utf8',
    // Not a pipe for stdout: the server keeps what it inherits open for as long as it runs.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: [...folders.toReversed(), process.env['PATH'] ?? ''].join(':'), LC_ALL: 'C' },
  });
  if (error !== undefined || status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
}

/** Starts the server in `folder` unless another test file did; the base for its connection addresses. */
export async function sharedPostgres(folder: string): Promise<(database: string) => string> {
  const data = join(folder, 'data');
  const lock = join(folder, 'starting');
  const ready = join(folder, 'ready');
  const deadline = Date.now() + startDeadlineMs;
  while (!existsSync(ready)) {
    if (!tryLock(lock)) {
      if (Date.now() > deadline) throw new Error('another test file did not get PostgreSQL started');
      await sleep(50); // another process starts it
      continue;
    }
    try {
      if (existsSync(ready)) break; // since we looked
      const user = serverUser();
      if (user !== undefined) chownSync(folder, user.uid, user.gid);
      chmodSync(folder, 0o755);
      runAsPostgres('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']);
      const settings = `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off -c max_connections=200`;
      runAsPostgres('pg_ctl', ['-D', data, '-l', join(folder, 'log'), '-w', '-t', '150', '-o', settings, 'start']);
      mkdirSync(ready);
    } finally {
      rmdirSync(lock);
    }
  }
  return (database) => `postgres:///${database}?host=${encodeURIComponent(folder)}&user=postgres`;
}

function tryLock(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}
