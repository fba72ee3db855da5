/**
 * What a system test needs of its machine. On a bare machine the test is skipped with the reason in one line; in CI a
 * skipped system test would hide a hole, so there a missing tool is an error.
 */
import { spawnSync } from 'node:child_process';

/**
 * True when all needs are met. A need is `root`, or the name of a program that must be found in the PATH or sbin.
 * Throws where `CI=true` and something is missing.
 */
export function requireSystem(...needs: readonly string[]): boolean {
  const missing = needs.filter((need) => (need === 'root' ? process.getuid?.() !== 0 : !isInstalled(need)));
  if (missing.length === 0) return true;
  const reason = `needs ${missing.join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(`this system test must run in CI, but the machine ${reason}`);
  console.warn(`skipped: ${reason}`);
  return false;
}

function isInstalled(program: string): boolean {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin`;
  return (
    spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { env: { ...process.env, PATH: path } }).status === 0
  );
}
