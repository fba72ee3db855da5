/** `npm run bench -- NAME [options]`: runs one program of this folder. Each measures one figure and prints JSON. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const programs = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && !file.includes('.test.'))
  .map((file) => file.slice(0, -'.ts'.length))
  .toSorted();

/** What a program says of itself at its top, as paragraphs without line breaks. */
function purposeOf(program: string): string {
  const comment = /\/\*\*(.*?)\*\//s.exec(readFileSync(`${folder}${program}.ts`, 'utf8'))?.[1] ?? '';
  return comment
    .replaceAll(/\n\s*\* ?/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !programs.includes(name)) {
  console.error('npm run bench -- NAME [arguments]; npm run bench -- NAME --help says which\n');
  for (const program of programs) console.error(`  ${program.padEnd(16)} ${purposeOf(program).split('. ')[0]}`);
  process.exit(name === undefined || name === '--help' ? 0 : 64);
}
if (args.includes('--help')) {
  console.log(`npm run bench -- ${name} [arguments]\n\n${purposeOf(name)}`);
  process.exit(0);
}
const { status } = spawnSync(process.execPath, ['--conditions=@picket/source', `${folder}${name}.ts`, ...args], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
