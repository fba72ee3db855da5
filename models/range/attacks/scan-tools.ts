/** Scans of ports by tools that take one target: from outside, or from a device. */
import { type Family, type Stage, attacker, between, episode, exposed, spread } from './episode.ts';
import { favourites, ports, runOwn, scanner } from './scan-targets.ts';

const simple =
  (tool: string, make: (stage: Stage, target: string, from: string) => { argv: string[]; step: string }): Family =>
  (stage) => {
    const from = attacker(stage);
    const target = stage.random.pick(exposed(stage));
    const { argv, step } = make(stage, target, from.address);
    return episode({
      class: 'port_scan',
      tool,
      step,
      seconds: stage.random.integer(12, 35),
      origin: from,
      argv,
      truth: [between(from.address, null)],
      to: target,
    });
  };

export const hping = simple('hping3', ({ random }, target, from) => {
  const flag = random.pick(['-S', '-S', '-F', '-A']);
  const gap = Math.round(spread(random, 1500, 150_000));
  const first = random.integer(1, 9000);
  return {
    step: `hping3 ${flag} -p ++${first} -i u${gap}`,
    argv: [
      'hping3',
      '-I',
      'eth0',
      '-a',
      from,
      '-q',
      '-n',
      flag,
      '-p',
      `++${first}`,
      '-i',
      `u${gap}`,
      '-c',
      String(random.integer(60, 2000)),
      target,
    ],
  };
});

export const ownScanner = simple('own scanner', (stage, target) => {
  const { random } = stage;
  const gapMs = spread(random, 1, 500);
  const list = ports(stage);
  return {
    step: `own scanner every ${gapMs.toFixed(0)} ms ${list.slice(0, 40)}`,
    argv: runOwn(
      scanner,
      JSON.stringify({
        from: '',
        hosts: [target],
        ports: list,
        gapMs,
        patienceMs: random.integer(200, 3000),
        isShuffled: random.next() < 0.6,
        seed: random.integer(1, 1e9),
      }),
    ),
  };
});

/** Whom the attacker's packets go through: the world's, or the site's own gateway, which passes nothing between devices. */
const router = ({ inside, site }: Stage): string => (inside === null ? '169.254.0.1' : `${site.lan}.1`);

export const masscan = simple('masscan', (stage, target, from) => {
  const { random, site } = stage;
  const rate = Math.round(spread(random, 8, 500));
  const hosts =
    site.isTranslated || random.next() < 0.6 || stage.inside !== null
      ? target
      : `${site.lan}.0/${random.integer(25, 28)}`;
  const list = ports(stage);
  return {
    step: `masscan -p ${list.slice(0, 40)} --rate ${rate}`,
    argv: [
      'masscan',
      '-e',
      'eth0',
      '--source-ip',
      from,
      '--router-ip',
      router(stage),
      '-p',
      list,
      '--rate',
      String(rate),
      '--wait',
      '3',
      hosts,
    ],
  };
});

export const zmap = simple('zmap', (stage, target, from) => {
  const { random, site } = stage;
  const port = random.pick(favourites);
  const rate = Math.round(spread(random, 5, 200));
  const hosts = site.isTranslated || stage.inside !== null ? `${target}/32` : `${site.lan}.0/${random.integer(24, 27)}`;
  // one port after another: zmap asks one port of many hosts
  const script = `ping -c1 -W1 ${router(stage)} >/dev/null; mac=$(ip neigh show ${router(stage)} | sed -n 's/.*lladdr \\([^ ]*\\).*/\\1/p'); for port in ${[port, ...Array.from({ length: 9 }, () => random.pick(favourites))].join(' ')}; do zmap -q -p $port -r ${rate} -i eth0 -G "$mac" -S ${from} -b /dev/null -c 2 -o /dev/null --disable-syslog ${hosts}; done`;
  return { step: `zmap -r ${rate} 10 ports`, argv: ['bash', '-c', script] };
});

export const loops = simple('ncat loop', (stage, target) => {
  const { random } = stage;
  const pause = spread(random, 0.01, 0.6).toFixed(3);
  const parallel = random.integer(1, 10);
  const first = random.integer(1, 9000);
  return {
    step: `ncat -z in ${parallel} loops, pause ${pause} s`,
    argv: [
      'bash',
      '-c',
      `trap 'kill 0' EXIT; seq ${first} ${first + random.integer(80, 700)} | xargs -P ${parallel} -I{} bash -c 'ncat -z -w ${random.integer(1, 3)} ${target} {} ; sleep ${pause}'`,
    ],
  };
});

export const busybox = simple('busybox nc loop', ({ random }, target) => {
  const pause = spread(random, 0.005, 0.4).toFixed(3);
  const list = Array.from({ length: random.integer(40, 300) }, () => random.integer(1, 12_000)).join(' ');
  return {
    step: `busybox nc, pause ${pause} s`,
    argv: [
      'bash',
      '-c',
      `for port in ${list}; do busybox nc -w 1 ${target} $port </dev/null & sleep ${pause}; done; wait`,
    ],
  };
});
