/**
 * One PostgreSQL for the whole test run. It is started by the first test that asks (`both-databases.ts`), so that a run
 * of quick tests does not wait for it, and stopped here at the end.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAsPostgres } from './postgres-server.ts';

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'picket-postgres-'));
  process.env['PICKET_TEST_POSTGRES_FOLDER'] = folder;
  return () => {
    if (existsSync(join(folder, 'data', 'postmaster.pid'))) {
      runAsPostgres('pg_ctl', ['-D', join(folder, 'data'), '-m', 'immediate', 'stop']);
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
