/** Scans of the whole world by a device that was taken over: one port of everybody, most of whom do not exist. */
import { addressOf } from '../plan/site-plan.ts';
import { type EpisodePlan, type Family, type Stage, type Truth, between, byPart, episode, spread } from './episode.ts';
import { unusedPorts } from './inside.ts';
import { networks, worm } from './worm.ts';

interface Sweep {
  readonly from: string;
  readonly gateway: string;
  readonly ports: readonly number[];
  /** First numbers of addresses. */
  readonly networks: readonly number[];
}
type Make = (stage: Stage, sweep: Sweep) => Pick<EpisodePlan, 'argv' | 'step'> & Partial<EpisodePlan>;

const sweep =
  (tool: string, make: Make): Family =>
  (stage) => {
    const { site, random } = stage;
    const device = random.pick(site.devices);
    const from = addressOf(site, device);
    const wanted = byPart(stage.part, {
      train: [23, 2323, 80, 22, 7547, 8080, 445],
      validation: [23, 5555, 80, 22, 81, 5900],
      test: [23, 37_215, 80, 22, 8443, 3389],
    });
    const free = unusedPorts(site, from, wanted);
    const ports = [...new Set(Array.from({ length: random.pick([1, 1, 2]) }, () => random.pick(free)))];
    const chosen = Array.from({ length: random.pick([1, 2, 6]) }, () => random.pick(networks));
    // where somebody is at home: half of one network
    const control = random.next() < 0.6 ? stage.freshAddress() : null;
    return episode({
      class: 'port_scan',
      tool,
      seconds: random.integer(10, 35),
      origin: device,
      truth: ports.map((port): Truth => ({ ...between(from, null), protocol: 6, dst_port: port })),
      to: 'anybody',
      control,
      ...(control === null ? {} : { answering: `${chosen[0]}.${random.pick([0, 128])}.0.0/9` }),
      servings:
        control !== null && random.next() < 0.5
          ? [{ kind: 'telnet', address: '0.0.0.0', port: ports[0]!, isTls: false }]
          : [],
      ...make(stage, { from, gateway: `${site.lan}.1`, ports, networks: [...new Set(chosen)] }),
    });
  };

const somebody = (stage: Stage, { networks: first }: Sweep): string =>
  `${stage.random.pick(first)}.${stage.random.integer(0, 255)}.${stage.random.integer(0, 255)}.${stage.random.integer(1, 254)}`;

const hping = sweep('hping3', ({ random }, { from, ports, networks: first }) => {
  const gap = Math.round(spread(random, 1500, 200_000));
  return {
    step: `hping3 -S -p ${ports[0]} --rand-dest ${first[0]}.x.x.x -i u${gap} from a device`,
    argv: [
      'hping3',
      '-I',
      'eth0',
      '-a',
      from,
      '-q',
      '-n',
      '-S',
      '-p',
      String(ports[0]),
      '-i',
      `u${gap}`,
      '-c',
      '4000',
      '--rand-dest',
      `${first[0]}.x.x.x`,
    ],
  };
});

const nmap = sweep('nmap', (stage, to) => {
  const { random } = stage;
  const settings = [
    '-n',
    '-Pn',
    random.pick(['-sS', '-sS', '-sT']),
    '-S',
    to.from,
    '-e',
    'eth0',
    '-p',
    to.ports.join(','),
    ...random.pick([['-T4'], ['--max-rate', String(Math.round(spread(random, 4, 300)))]]),
    '--max-retries',
    String(random.integer(0, 1)),
  ];
  return {
    step: `nmap ${settings.join(' ')} many addresses from a device`,
    argv: ['nmap', ...settings, '-iL', '{folder}/hosts'],
    files: { hosts: Array.from({ length: random.integer(60, 1500) }, () => somebody(stage, to)).join('\n') },
  };
});

const masscan = sweep('masscan', ({ random }, { from, gateway, ports, networks: first }) => {
  const rate = Math.round(spread(random, 8, 500));
  return {
    step: `masscan -p ${ports.join(',')} --rate ${rate} from a device`,
    argv: [
      'masscan',
      '-e',
      'eth0',
      '--source-ip',
      from,
      '--router-ip',
      gateway,
      '-p',
      ports.join(','),
      '--rate',
      String(rate),
      '--wait',
      '2',
      '--seed',
      String(random.integer(1, 1e6)),
      ...first.map((number) => `${number}.0.0.0/8`),
    ],
  };
});

const ncat = sweep('ncat loop', (stage, to) => {
  const { random } = stage;
  const parallel = random.integer(2, 12);
  return {
    step: `ncat -z port ${to.ports[0]} of many in ${parallel} loops from a device`,
    argv: [
      'bash',
      '-c',
      `trap 'kill 0' EXIT; xargs -P ${parallel} -I{} bash -c 'ncat -z -s ${to.from} -w ${random.integer(1, 3)} {} ${to.ports[0]}; sleep ${spread(random, 0.01, 0.6).toFixed(3)}' <"$1"`,
      'bash',
      '{folder}/hosts',
    ],
    files: { hosts: Array.from({ length: 1500 }, () => somebody(stage, to)).join('\n') },
  };
});

const zmap = sweep('zmap', ({ random }, { from, gateway, ports, networks: first }) => {
  const rate = Math.round(spread(random, 5, 300));
  const ranges = first.map((number) => `${number}.0.0.0/8`).join(' ');
  const script = `ping -c1 -W1 ${gateway} >/dev/null; mac=$(ip neigh show ${gateway} | sed -n 's/.*lladdr \\([^ ]*\\).*/\\1/p' | head -1); for port in ${ports.join(' ')}; do zmap -q -p $port -r ${rate} -n 3000 -i eth0 -G "$mac" -S ${from} -b /dev/null -c 2 -o /dev/null --disable-syslog ${ranges}; done`;
  return { step: `zmap -p ${ports.join(',')} -r ${rate} from a device`, argv: ['bash', '-c', script] };
});

const python = sweep('python', (stage, to) => {
  const { random } = stage;
  const script = `
import random, socket, threading, time
random.seed(${random.integer(1, 1e6)})
def knock(host, port):
    made = socket.socket()
    made.settimeout(${random.between(0.5, 4).toFixed(1)})
    try:
        made.bind(("${to.from}", 0))
        made.connect((host, port))
        made.recv(64)
        made.send(b"root\\r\\n")
    except OSError:
        pass
    made.close()
while True:
    host = f"{random.choice([${to.networks.join(', ')}])}.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
    threading.Thread(target=knock, args=(host, random.choice([${to.ports.join(', ')}])), daemon=True).start()
    time.sleep(random.expovariate(1 / ${spread(random, 0.004, 0.5).toFixed(3)}))
`;
  return {
    step: `python worm ports ${to.ports.join(',')} from a device`,
    argv: ['/usr/bin/python3', '{folder}/script'],
    files: { script },
  };
});

export const scanTheWorld: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [worm, hping, nmap],
      validation: [masscan, ncat],
      test: [zmap, python],
    }),
  )(stage);
