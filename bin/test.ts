/**
 * `npm test`: every test of the project. System tests skip themselves on a bare machine and fail where `CI=true`; there,
 * those that failed in company are run once more, alone (docs/decisions/0018).
 * Arguments go to vitest, so `npm test -- agent/src/flow` runs one folder.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesToRunAgain, withSecondRun, type TestResults } from './second-run.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const ci = process.env['CI'] === 'true';
const results = 'node_modules/.cache/test-results.json';
const coverage = ci ? ['--coverage', '--coverage.reporter=text-summary'] : [];

process.exitCode = runTests(results, ...coverage, ...process.argv.slice(2));
if (ci && process.exitCode !== 0) runAgain();

function runTests(outputFile: string, ...args: readonly string[]): number {
  rmSync(join(root, outputFile), { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
}

function runAgain(): void {
  const first = read(results);
  const files = first === undefined ? [] : filesToRunAgain(first);
  if (first === undefined || files.length === 0) return;
  process.stdout.write(`\nrun once more, alone, for they failed in company:\n${files.join('\n')}\n`);
  const output = 'node_modules/.cache/test-results-again.json';
  const status = runTests(output, '--no-file-parallelism', ...files);
  const second = read(output);
  if (second === undefined) return;
  writeFileSync(join(root, results), JSON.stringify(withSecondRun(first, second)));
  process.exitCode = status;
}

/** Nothing where vitest ended before it could write. */
function read(outputFile: string): TestResults | undefined {
  try {
    return JSON.parse(readFileSync(join(root, outputFile), 'utf8')) as TestResults;
  } catch {
    return undefined;
  }
}
