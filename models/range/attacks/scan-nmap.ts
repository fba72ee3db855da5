/** Scans by nmap in its many ways, over IPv4 and IPv6. */
import { type Family, attacker, between, byPart, episode, spread } from './episode.ts';
import { asDevice, ports, targets } from './scan-targets.ts';

export const nmap: Family = (stage) => {
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
  const isOne = stage.site.isTranslated || stage.inside !== null;
  const kind = isOne && chosen.startsWith('-sn') ? '-sS' : chosen;
  const isSweep = kind.startsWith('-sn');
  const pace = random.pick([
    ...(part === 'test' ? ['-T5', '-T3 --min-rate 120'] : ['-T4', '-T4', '-T3']),
    `--max-rate ${Math.round(spread(random, 3, 400))}`,
    `--scan-delay ${Math.round(spread(random, 10, 900))}ms --max-retries 1`,
    '-T2',
  ]);
  const extras = [
    ...(random.next() < 0.85 || !/^-s[SAFNXMW]$/.test(kind) ? [] : ['-f']),
    ...(random.next() < 0.15 && !isSweep && kind !== '-sT'
      ? ['--source-port', random.pick(['53', '80', '20', '443'])]
      : []),
    ...(random.next() < 0.15 && kind !== '-sT' && !isSweep ? ['--data-length', String(random.integer(4, 200))] : []),
    ...(random.next() < 0.3 ? ['-r'] : []),
  ];
  const decoys =
    !isSweep && /^-s[SFXNA]$/.test(kind) && random.next() < 0.15 && stage.inside === null
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
    argv: ['nmap', '-n', ...asDevice(stage), ...settings, ...hosts],
    truth: [between(from.address, null), ...decoys.map((decoy) => between(decoy, null))],
    to: hosts.join(' '),
  });
};

export const overLongAddresses: Family = (stage) => {
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
