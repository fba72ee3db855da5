/** `npm run check`: every gate that is not a test, by the name CI uses. All of them run, whatever fails first. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const gates: readonly { readonly name: string; readonly command: readonly string[]; readonly mend: string }[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'], mend: 'npx oxfmt .' },
  { name: 'lint', command: ['oxlint', '--type-aware', '--max-warnings=0'], mend: 'read the rule it names' },
  { name: 'types', command: ['tsc', '-b'], mend: 'read the first error' },
  { name: 'layers', command: ['vitest', 'run', '.ci/layers.test.ts'], mend: '.ci/layers.ts says who may import whom' },
  { name: 'unused code', command: ['knip'], mend: 'delete what nothing uses' },
];

const failed: string[] = [];
for (const gate of gates) {
  console.log(`\n== ${gate.name}: ${gate.command.join(' ')}`);
  const [program, ...args] = gate.command as [string, ...string[]];
  const { status } = spawnSync(`node_modules/.bin/${program}`, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed.push(`${gate.name} (${gate.mend})`);
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join('; ')}`);
  process.exitCode = 1;
} else {
  console.log(`\nall ${gates.length} checks passed`);
}
