/**
 * `npm test`: every test of the project. System tests skip themselves on a bare machine and fail where `CI=true`.
 * Arguments go to vitest, so `npm test -- agent/src/flow` runs one folder.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ci = process.env['CI'] === 'true';
const result = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    '--outputFile.json=node_modules/.cache/test-results.json',
    ...(ci ? ['--coverage', '--coverage.reporter=text-summary'] : []),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = result.status ?? 1;
