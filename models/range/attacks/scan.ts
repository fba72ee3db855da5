/** Scans: which ports and hosts are there. nmap in many ways, hping3, masscan, zmap, loops; from outside and from inside. */
import { fileURLToPath } from 'node:url';
import { addressOf } from '../plan/site-plan.ts';
import {
  type EpisodePlan,
  type Family,
  type Stage,
  attacker,
  between,
  byPart,
  episode,
  exposed,
  spread,
  strangers,
} from './episode.ts';

const scanner = fileURLToPath(new URL('../programs/scanner.ts', import.meta.url));
export const runOwn = (program: string, ...rest: readonly string[]): string[] => [
  process.execPath,
  '--no-warnings',
  program,
  ...rest,
];

const favourites = [
  21, 22, 23, 25, 53, 80, 81, 110, 139, 143, 443, 445, 502, 554, 1080, 1433, 1723, 1883, 2323, 3306, 3389, 5000, 5555,
  5900, 6379, 7547, 8000, 8080, 8081, 8443, 8883, 9000, 9200, 37215, 49152,
];

function ports({ random }: Stage): string {
  const low = random.integer(1, 30_000);
  return random.pick([
    () => `1-${random.integer(60, 1500)}`,
    () => `${low}-${low + random.integer(30, 1000)}`,
    () => [...new Set(Array.from({ length: random.integer(2, 30) }, () => random.pick(favourites)))].join(','),
    () => [...new Set(Array.from({ length: random.integer(20, 200) }, () => random.integer(1, 32_000)))].join(','),
  ])();
}

function targets(stage: Stage): string[] {
  const { random, site } = stage;
  const open = exposed(stage);
  if (site.isTranslated) return open;
  return random.pick([
    () => [random.pick(open)],
    () => [random.pick(open)],
    () => open.slice(0, random.integer(2, open.length)),
    () => [`${site.lan}.${random.pick([0, 64, 128])}/${random.integer(25, 28)}`],
  ])();
}

const nmap: Family = (stage) => {
  const { random, part } = stage;
  const from = attacker(stage);
  const chosen = random.pick(
    byPart(part, {
      train: ['-sS', '-sS', '-sS', '-sT', '-sT', '-sF', '-sX', '-sU', '-sA', '-sV', '-O', '-sn', '-sn -PS22,80,443'],
      validation: ['-sS', '-sT', '-sN', '-sU', '-sV', '-sn -PA80,443'],
      test: ['-sS', '-sT', '-sM', '-sW', '-sU', '-A', '-sn -PU53,161'],
    }),
  );
  // a sweep of the one address that a translating gateway shows is no scan
  const kind = stage.site.isTranslated && chosen.startsWith('-sn') ? '-sS' : chosen;
  const isSweep = kind.startsWith('-sn');
  const pace = random.pick([
    ...(part === 'test' ? ['-T5', '-T3 --min-rate 120'] : ['-T4', '-T4', '-T3']),
    `--max-rate ${Math.round(spread(random, 3, 400))}`,
    `--scan-delay ${Math.round(spread(random, 10, 900))}ms --max-retries 1`,
    '-T2',
  ]);
  const extras = [
    ...(random.next() < 0.85 || isSweep ? [] : ['-f']),
    ...(random.next() < 0.15 && !isSweep && kind !== '-sT'
      ? ['--source-port', random.pick(['53', '80', '20', '443'])]
      : []),
    ...(random.next() < 0.15 && kind !== '-sT' && !isSweep ? ['--data-length', String(random.integer(4, 200))] : []),
    ...(random.next() < 0.3 ? ['-r'] : []),
  ];
  const decoys =
    !isSweep && /^-s[SFXNA]$/.test(kind) && random.next() < 0.15
      ? Array.from({ length: random.integer(1, 4) }, stage.freshAddress)
      : [];
  const wanted = isSweep
    ? []
    : random.next() < 0.3
      ? ['--top-ports', String(random.integer(20, 700))]
      : [
          '-p',
          kind === '-sU' ? random.pick(['53,67,69,123,161,500,1900,5353,5683', '1-120', '100-400']) : ports(stage),
        ];
  const hosts = isSweep ? [`${stage.site.lan}.0/${random.integer(24, 27)}`] : targets(stage);
  const settings = [
    ...(isSweep ? [] : ['-Pn']),
    ...kind.split(' '),
    ...pace.split(' '),
    ...extras,
    ...wanted,
    ...(decoys.length > 0 ? ['-D', [...decoys, 'ME'].join(',')] : []),
  ];
  return episode({
    class: 'port_scan',
    tool: 'nmap',
    step: `nmap ${settings.join(' ')} ${hosts.length} targets`,
    seconds: random.integer(12, 40),
    origin: from,
    argv: ['nmap', '-n', ...settings, ...hosts],
    truth: [between(from.address, null), ...decoys.map((decoy) => between(decoy, null))],
    to: hosts.join(' '),
  });
};

const overLongAddresses: Family = (stage) => {
  const { site, random } = stage;
  if (site.lan6 === null) return undefined;
  const from = attacker(stage);
  const device = random.pick(site.devices);
  const target = `${site.lan6}${device.host.toString(16)}`;
  const settings = [
    '-6',
    '-Pn',
    random.pick(['-sS', '-sT']),
    random.pick(['-T4', '-T3', `--max-rate ${random.integer(5, 200)}`]),
    '-p',
    ports(stage),
  ].flatMap((part) => part.split(' '));
  return episode({
    class: 'port_scan',
    tool: 'nmap',
    step: `nmap ${settings.join(' ')}`,
    seconds: random.integer(12, 30),
    origin: from,
    argv: ['nmap', '-n', ...settings, target],
    truth: [between(from.address6, null)],
    to: target,
  });
};

/** An infected device looks for neighbours; never for those that it talks with anyway. */
const fromInside: Family = (stage) => {
  const { site, random, part } = stage;
  const infected = random.pick(site.devices);
  const address = addressOf(site, infected);
  const others = strangers(site, infected);
  if (others.length === 0) return undefined;
  const own = new Set(site.devices.map(({ host }) => host));
  const nobody = Array.from({ length: random.pick([0, 0, 4, 20]) }, () => random.integer(2, 239))
    .filter((host) => !own.has(host))
    .map((host) => `${site.lan}.${host}`);
  const hosts = [...others, ...nobody];
  const base = {
    class: 'port_scan',
    seconds: random.integer(12, 35),
    origin: infected,
    truth: hosts.map((host) => between(address, host)),
    to: hosts.join(' '),
  } as const;
  const useNmap = part !== 'test' && random.next() < 0.6;
  if (useNmap) {
    const settings = `-Pn -sS ${random.pick(['-T4', '-T3', `--max-rate ${random.integer(4, 200)}`])} -p ${ports(stage)}`;
    return episode({
      ...base,
      tool: 'nmap',
      step: `nmap ${settings} from a device`,
      argv: ['nmap', '-n', '-S', address, '-e', 'eth0', ...settings.split(' '), ...hosts],
    });
  }
  const gapMs = spread(random, 2, 400);
  const list = ports(stage);
  return episode({
    ...base,
    tool: 'own scanner',
    step: `own scanner every ${gapMs.toFixed(0)} ms ${list.slice(0, 40)} from a device`,
    argv: runOwn(
      scanner,
      JSON.stringify({
        from: address,
        hosts,
        ports: list,
        gapMs,
        patienceMs: random.integer(300, 3000),
        isShuffled: random.next() < 0.5,
        seed: random.integer(1, 1e9),
      }),
    ),
  });
};

/** As the worms of cameras do it: telnet of whoever there may be, all over the world. */
const worm: Family = (stage) => {
  const { site, random } = stage;
  const infected = random.pick(site.devices);
  const from = addressOf(site, infected);
  const port = random.pick(
    byPart(stage.part, { train: [23, 2323, 7547], validation: [23, 5555], test: [2323, 37_215, 23] }),
  );
  const gapMs = spread(random, 3, 300);
  const hosts = Array.from(
    { length: 2000 },
    () =>
      `${random.pick([5, 24, 45, 61, 77, 91, 109, 133, 151, 178, 187, 202, 219])}.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}`,
  );
  return episode({
    class: 'port_scan',
    tool: 'own worm',
    step: `own worm port ${port} every ${gapMs.toFixed(0)} ms`,
    seconds: random.integer(10, 30),
    origin: infected,
    argv: runOwn(scanner, '{folder}/orders'),
    files: {
      orders: JSON.stringify({
        from,
        hosts,
        ports: String(port),
        gapMs,
        patienceMs: random.integer(500, 4000),
        isShuffled: false,
        seed: random.integer(1, 1e9),
      }),
    },
    truth: [{ ...between(from, null), protocol: 6, dst_port: port }],
    to: 'anybody',
  });
};

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

const hping = simple('hping3', ({ random }, target, from) => {
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

const ownScanner = simple('own scanner', (stage, target) => {
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

const masscan = simple('masscan', (stage, target, from) => {
  const { random, site } = stage;
  const rate = Math.round(spread(random, 8, 500));
  const hosts = site.isTranslated || random.next() < 0.6 ? target : `${site.lan}.0/${random.integer(25, 28)}`;
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
      '169.254.0.1',
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

const zmap = simple('zmap', ({ random, site }, target, from) => {
  const port = random.pick(favourites);
  const rate = Math.round(spread(random, 5, 200));
  const hosts = site.isTranslated ? `${target}/32` : `${site.lan}.0/${random.integer(24, 27)}`;
  // one port after another: zmap asks one port of many hosts
  const script = `ping -c1 -W1 169.254.0.1 >/dev/null; mac=$(ip neigh show 169.254.0.1 | sed -n 's/.*lladdr \\([^ ]*\\).*/\\1/p'); for port in ${[port, ...Array.from({ length: 9 }, () => random.pick(favourites))].join(' ')}; do zmap -q -p $port -r ${rate} -i eth0 -G "$mac" -S ${from} -b /dev/null -c 2 -o /dev/null --disable-syslog ${hosts}; done`;
  return { step: `zmap -r ${rate} 10 ports`, argv: ['bash', '-c', script] };
});

const loops = simple('ncat loop', (stage, target) => {
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

const busybox = simple('busybox nc loop', ({ random }, target) => {
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

export const scan: Family = (stage): EpisodePlan | undefined => {
  const tools = byPart<Family>(stage.part, {
    train: [nmap, nmap, nmap, nmap, hping, ownScanner, ownScanner, fromInside, fromInside, worm, overLongAddresses],
    validation: [nmap, masscan, masscan, loops, fromInside, worm, overLongAddresses],
    test: [nmap, zmap, busybox, busybox, fromInside, worm, masscan, loops],
  });
  return stage.random.pick(tools)(stage);
};
