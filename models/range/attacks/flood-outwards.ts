/** Floods that leave the house: a device that was taken over against somebody far away who does not exist. */
import { type Family, between, episode, spread } from './episode.ts';

/** Kinds of packets as hping3 names them. */
export const flags = {
  syn: ['-S'],
  ack: ['-A'],
  rst: ['-R'],
  fin: ['-F', '-P', '-U'],
  udp: ['--udp'],
  icmp: ['--icmp'],
  fragments: ['--icmp', '-f'],
} as const;

/** A device that has been taken over floods somebody far away. */
export const outwards: Family = (stage) => {
  const { random, site } = stage;
  const infected = random.pick(site.devices);
  const target = stage.freshAddress();
  const gap = Math.round(spread(random, 300, 6000));
  const kind = random.pick(['syn', 'udp', 'udp', 'ack'] as const);
  const port = random.pick([80, 443, 53, random.integer(1, 60_000)]);
  const settings = [
    ...flags[kind],
    '-i',
    `u${gap}`,
    '-d',
    String(random.pick([0, 32, 512, 1200])),
    '-p',
    String(port),
    ...(random.next() < 0.4 ? ['-k', '-s', '4321'] : []),
  ];
  const address = `${site.lan}.${infected.host}`;
  return episode({
    class: 'ddos_flood',
    tool: 'hping3',
    step: `hping3 ${settings.join(' ')} from a device`,
    seconds: random.integer(5, 15),
    origin: infected,
    argv: ['hping3', '-I', 'eth0', '-q', '-n', '-c', '20000', '-a', address, ...settings, target],
    truth: [between(address, target)],
    to: target,
  });
};
