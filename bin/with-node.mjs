/**
 * Runs one of the project's programs under the Node the project brings, and installs both first where they are
 * missing. Plain JavaScript, because it must run on any Node from 20 on, on a machine that has nothing else.
 * Everything it says goes to stderr: stdout belongs to the program.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Comes from npm by `npx`; the lockfile is its. */
const packageManager = 'pnpm@12.21.0';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.picket-installed');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'pnpm-lock.yaml')))
  .update(readFileSync(join(root, 'package.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error(`picket: installing dependencies with ${packageManager} (first run, or the lockfile changed) …`);
  const { code, said } = await install();
  if (code !== 0) {
    console.error(said);
    console.error('picket: the installation failed; the lines above say why. Mend it and run the same command again.');
    process.exit(69);
  }
  writeFileSync(stamp, wanted);
}

/** Shows how far it is; the rest of what pnpm says (that the Node it runs under is older than ours) only when it fails. */
async function install() {
  const pnpm = spawn('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let said = '';
  for (const stream of [pnpm.stdout, pnpm.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
      const progress = text.match(/^Progress: .*$/gm)?.at(-1);
      if (progress !== undefined) console.error(`picket: ${progress}`);
    });
  }
  const code = await new Promise((resolve) => {
    pnpm.on('error', (error) => {
      said += error.message;
      resolve(1);
    });
    pnpm.on('close', resolve);
  });
  return { code, said };
}

/** What Node made of our sources: without it each thread of a program loads a compiler for TypeScript, 13 MiB each. */
const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled');

/**
 * Read by glibc once, when a program starts. It keeps a pool for each thread and gives large buffers back late, which
 * costs memory; and it leaves a large table in pages of 4 KiB, which costs a packet half as much again with a million
 * flows open (BENCHMARKS.md, `growth`).
 */
const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/** Not for tests and checks: coverage is less precise with it. */
function keepsCompiled(program) {
  return program !== 'bin/test.ts' && !program.startsWith('.ci/');
}

const own = join(root, 'node_modules', '.bin', 'node');
const node = existsSync(own) ? own : process.execPath;
if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `picket: needs Node 24 and has none to bring for ${process.platform} ${process.arch}; install Node 24 and run the same command again.`,
  );
  process.exit(69);
}

const [entry, ...rest] = process.argv.slice(2);
const child = spawn(node, ['--conditions=@picket/source', join(root, entry), ...rest], {
  stdio: 'inherit',
  env: { ...allocator, ...process.env, ...(keepsCompiled(entry) ? { NODE_COMPILE_CACHE: compiled } : {}) },
});
// A terminal's Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    if (!(name === 'SIGINT' && process.stdin.isTTY)) child.kill(name);
  });
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
