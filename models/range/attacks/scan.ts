/** Scans: which ports and hosts are there. By many tools, from outside, from inside, and by worms. */
import { addressOf } from '../plan/site-plan.ts';
import { type EpisodePlan, type Family, between, byPart, episode, spread, strangers } from './episode.ts';
import { alsoInside, fromDevice } from './inside.ts';
import { busybox, hping, loops, masscan, ownScanner, zmap } from './scan-tools.ts';
import { scanTheWorld } from './scan-world.ts';
import { worm } from './worm.ts';
import { nmap, overLongAddresses } from './scan-nmap.ts';
import { ports, runOwn, scanner } from './scan-targets.ts';

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

const usual: Family = (stage): EpisodePlan | undefined => {
  const tools = byPart<Family>(stage.part, {
    train: [nmap, nmap, nmap, nmap, hping, ownScanner, ownScanner, fromInside, fromInside, worm, overLongAddresses],
    validation: [nmap, masscan, masscan, loops, fromInside, worm, overLongAddresses],
    test: [nmap, zmap, busybox, busybox, fromInside, worm, masscan, loops],
  });
  return stage.random.pick(tools)(stage);
};

const insideTools: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [nmap, nmap, nmap, hping, ownScanner, ownScanner],
      validation: [nmap, nmap, loops, masscan],
      test: [nmap, nmap, busybox, loops, zmap],
    }),
  )(stage);
const fromDeviceOrWorm: Family = (stage) =>
  stage.random.next() < 0.35 ? scanTheWorld(stage) : fromDevice(insideTools, ['ssh', 'web', 'telnet'])(stage);

export const scan = alsoInside(usual, fromDeviceOrWorm);
