/**
 * Time from `npm start` to the first alert on the terminal, and the memory of both programs when the bundled capture has
 * been replayed. Warm package cache: the dependencies are installed. JSON on stdout.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'picket-bench-'));
const replaySeconds = Number(process.argv[2] ?? 120);

function memoryOf(entry: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!command.includes(entry) || !command.includes(directory) || command.startsWith('npm')) continue;
      const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (kib !== undefined && !command.includes('start.ts')) return Math.round(Number(kib) / 1024);
    } catch {
      // the process ended while we looked
    }
  }
  return undefined;
}

const started = performance.now();
const picket = spawn(
  'npm',
  ['start', '--', '--data-dir', directory, '--port', '18000', '--agents-port', '18443', '--mqtt-port', '18883'],
  {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // so that it can be ended as Ctrl-C does
  },
);
let output = '';
let upSeconds: number | undefined;
let firstAlertSeconds: number | undefined;
picket.stdout.setEncoding('utf8').on('data', (text: string) => {
  output += text;
  const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
  if (upSeconds === undefined && output.includes('API reference')) upSeconds = seconds;
  if (firstAlertSeconds === undefined && /\b(critical|high|medium)\b/i.test(output)) firstAlertSeconds = seconds;
});

setTimeout(() => {
  const result = {
    up_seconds: upSeconds,
    first_alert_seconds: firstAlertSeconds,
    controller_rss_mib: memoryOf('controller/src/main.ts'),
    agent_rss_mib: memoryOf('agent/src/main.ts'),
    after_seconds: replaySeconds,
    load: loadavg()[0],
  };
  picket.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
    console.log(JSON.stringify(result, null, 2));
  });
  if (picket.pid !== undefined) process.kill(-picket.pid, 'SIGINT');
}, replaySeconds * 1000);
