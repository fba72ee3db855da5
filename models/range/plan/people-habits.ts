/** Habits of people and what they carry: pages, calls, shells, files. */
import { type Habit, chance, clock, conversation, someCloud } from './neighbourhood.ts';

/** A video call: both ways at once. */
export const calls: Habit = (here) => [
  conversation(here, 'stream', someCloud(here), 3478, chance(here.random, 300, 900), {
    sends: [120, 900],
    asks: [120, 1000],
    per: [10, 60],
    gapMs: here.random.between(20, 60),
    share: 0.1,
  }),
];

export const watches: Habit = (here) => [
  conversation(here, 'http', someCloud(here), 443, chance(here.random, 150, 600), {
    isTls: true,
    asks: [40_000, 350_000],
    per: [4, 20],
    gapMs: here.random.between(1500, 6000),
  }),
];

export const browses: Habit = (here) => {
  const isTls = here.random.next() < 0.8;
  return [
    conversation(here, 'visit', someCloud(here, 8), isTls ? 443 : 80, chance(here.random, 12, 90), {
      isTls,
      sends: [0, here.random.pick([0, 0, 600])],
      asks: [200, here.random.integer(8000, 90_000)],
      per: [1, here.random.integer(3, 14)],
      gapMs: here.random.between(50, 900),
      thinks: [5, 250],
    }),
    conversation(here, 'name', here.gateway, 53, chance(here.random, 6, 40), {
      per: [1, 8],
      gapMs: 60,
      share: here.random.pick([0.02, 0.1]),
    }),
  ];
};

/** Pages of the site's own devices, from inside. */
export const visitsDevices: Habit = (here) =>
  here.webs.length === 0
    ? []
    : [
        conversation(here, 'visit', here.webs, 80, chance(here.random, 40, 200), {
          asks: [300, 40_000],
          per: [1, 4],
          gapMs: 300,
        }),
      ];

export const shellOptions = [
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'ConnectTimeout=10',
];

/** An admin logs in, types, sometimes mistypes the password first, sometimes copies a file. */
export const administers: Habit = (here) => {
  if (here.shells.length === 0) return [];
  const bind = here.from === '' ? [] : ['-b', here.from];
  const commands = here.shells.slice(0, 3).flatMap(({ address, port, key }) => {
    const base = [...shellOptions, ...bind, '-p', String(port)];
    const typed = Array.from(
      { length: here.random.integer(1, 7) },
      () => `sleep ${here.random.between(0.3, 4).toFixed(1)}; ls /usr/bin | head -${here.random.integer(3, 300)}`,
    ).join('; ');
    const mistyped = [
      '{folder}/mistyped',
      ...base,
      '-o',
      'PubkeyAuthentication=no',
      '-o',
      `NumberOfPasswordPrompts=${here.random.integer(1, 3)}`,
      `root@${address}`,
    ];
    return [
      ['ssh', ...base, '-i', key, `root@${address}`, typed],
      ['ssh', ...base, '-i', key, `root@${address}`, 'uptime'],
      ['ssh', ...base, '-i', key, `root@${address}`, `head -c ${here.random.integer(20_000, 900_000)} /dev/zero`],
      mistyped,
    ];
  });
  return [conversation(here, 'run', here.shells[0]!.address, 22, chance(here.random, 60, 240), { commands })];
};

/** FTP as it is still used: a listing, some files, sometimes a file brought. */
export const fetchesFiles: Habit = (here) => {
  if (here.files.length === 0) return [];
  const bind = here.from === '' ? [] : ['--interface', here.from];
  const commands = here.files.slice(0, 2).flatMap(({ address, port }) => {
    const root = `ftp://${address}:${port}/`;
    const base = ['curl', '-s', '-m', '60', ...bind, '-o', '/dev/null'];
    return [
      [...base, root],
      [...base, `${root}record${here.random.integer(0, 3)}.bin`],
      [...base, `${root}record0.bin`, '-o', '/dev/null', `${root}record1.bin`],
      [...base, '-u', 'guest:wrong', root],
    ];
  });
  return [conversation(here, 'run', here.files[0]!.address, 21, chance(here.random, 50, 240), { commands })];
};

export const pings: Habit = (here) => [
  conversation(here, 'run', here.gateway, 0, clock(here.random, 60, 300), {
    commands: [
      [
        'ping',
        '-q',
        '-n',
        '-c',
        String(here.random.integer(2, 12)),
        '-i',
        here.random.pick(['0.3', '1']),
        ...(here.from === '' ? [] : ['-I', here.from]),
        here.random.pick([here.gateway, here.cloud[0] ?? here.gateway]),
      ],
    ],
  }),
];
