/** `npm run bench -- NAME [options]`: runs one program of this folder. Each measures one figure and prints JSON. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const programs = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && !file.includes('.test.'))
  .map((file) => file.slice(0, -'.ts'.length))
  .toSorted();

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !programs.includes(name)) {
  console.error('npm run bench -- NAME [options]\n');
  for (const program of programs) {
    const purpose = /\/\*\*\s*\*?\s*([^*]+)/.exec(readFileSync(`${folder}${program}.ts`, 'utf8'))?.[1] ?? '';
    console.error(`  ${program.padEnd(16)} ${purpose.split('. ')[0]?.replaceAll(/\s+/g, ' ').trim()}`);
  }
  process.exit(name === undefined ? 0 : 64);
}
const { status } = spawnSync(process.execPath, ['--conditions=@picket/source', `${folder}${name}.ts`, ...args], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
