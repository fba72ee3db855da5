/** Floods of requests, by the tools with which web servers are measured. */
import { type Family, type Stage, attacker, between, episode, reachable } from './episode.ts';

const requests =
  (tool: string, argvOf: (stage: Stage, url: string, seconds: number) => string[]): Family =>
  (stage) => {
    const target = reachable(stage, 'web');
    if (target === undefined) return undefined;
    const from = attacker(stage);
    const seconds = stage.random.integer(6, 18);
    const argv = argvOf(stage, `http://${target.address}:${target.port}/`, seconds);
    return episode({
      class: 'ddos_flood',
      tool,
      step: argv.join(' ').replace(/https?:\S+/, ''),
      seconds,
      origin: from,
      argv,
      truth: [between(from.address, null)],
      to: target.address,
    });
  };

export const apacheBench = requests('ab', ({ random }, url, seconds) => [
  'ab',
  '-q',
  '-r',
  '-t',
  String(seconds),
  '-n',
  '6000',
  '-c',
  String(random.integer(2, 60)),
  ...(random.next() < 0.4 ? ['-k'] : []),
  `${url}${random.pick(['', 'index.html', 'status', 'style.css'])}`,
]);
export const siege = requests('siege', ({ random }, url, seconds) => [
  'siege',
  '-q',
  '-b',
  '-c',
  String(random.integer(2, 60)),
  '-t',
  `${seconds}S`,
  url,
]);
export const wrk = requests('wrk', ({ random }, url, seconds) => [
  'wrk',
  '-t',
  '1',
  '-c',
  String(random.integer(2, 60)),
  '-d',
  `${seconds}s`,
  url,
]);
