/** Habits of devices and people: each gives some conversations, with numbers of its own from the seed. */
import type { Conversation, ConversationKind, Range, Rhythm } from '../programs/conversation.ts';
import type { Random } from '../random.ts';

/** Whom a host can talk to. */
export interface Neighbourhood {
  readonly random: Random;
  /** The host's own address, and that of the family of the peer where it has both. */
  readonly from: string;
  readonly from6: string | null;
  readonly cloud: readonly string[];
  readonly cloud6: readonly string[];
  readonly gateway: string;
  readonly broadcast: string;
  readonly hub: string | null;
  readonly recorder: string | null;
  readonly webs: readonly string[];
  readonly shells: readonly { readonly address: string; readonly port: number; readonly key: string }[];
  readonly files: readonly { readonly address: string; readonly port: number }[];
}

export type Habit = (around: Neighbourhood) => Conversation[];

const second = 1000;

/** Fills in what a conversation leaves open. */
export function conversation(
  around: Pick<Neighbourhood, 'random' | 'from' | 'from6'>,
  kind: ConversationKind,
  to: string | readonly string[],
  port: number,
  rhythm: Rhythm,
  more: Partial<Conversation> = {},
): Conversation {
  const peers = typeof to === 'string' ? [to] : to;
  const isLong = peers[0]?.includes(':') === true;
  return {
    kind,
    to: peers,
    port,
    rhythm,
    from: isLong ? (around.from6 ?? '') : around.from,
    isTls: false,
    sends: [0, 0],
    asks: [0, 0],
    per: [1, 1],
    gapMs: 200,
    thinks: [2, 60],
    share: 0,
    commands: [],
    seed: around.random.integer(1, 1e9),
    ...more,
  };
}

/** Every so many seconds, as a clock that may be a little off. */
export const clock = (random: Random, low: number, high: number): Rhythm => ({
  kind: 'clock',
  everyMs: Math.round(random.between(low, high) * second),
  jitter: random.pick([0, 0, 0, 0.02, 0.1, 0.3]),
});
export const chance = (random: Random, low: number, high: number): Rhythm => ({
  kind: random.pick(['chance', 'chance', 'bursts']),
  everyMs: Math.round(random.between(low, high) * second),
  jitter: 0,
});

/** A fixed size, or a small spread about one. */
export function around(random: Random, low: number, high: number): Range {
  const size = Math.round(low * (high / low) ** random.next());
  return random.next() < 0.5 ? [size, size] : [Math.round(size * 0.6), Math.round(size * 1.6)];
}

/** One or a few of the cloud's hosts; IPv6 where there is some, half of the time. */
export function someCloud(here: Neighbourhood, most = 1): string[] {
  const from = here.from6 !== null && here.cloud6.length > 0 && here.random.next() < 0.5 ? here.cloud6 : here.cloud;
  const count = here.random.integer(1, most);
  return [...new Set(Array.from({ length: count }, () => here.random.pick(from)))];
}

export const keepsTime: Habit = (here) => [
  conversation(here, 'ask', someCloud(here), 123, clock(here.random, 16, 300), {
    sends: [48, 48],
    asks: [48, 48],
    thinks: [0, 1],
    per: [1, here.random.pick([1, 1, 4])],
    gapMs: 1500,
  }),
];

export const asksNames: Habit = (here) => [
  conversation(
    here,
    'name',
    here.random.next() < 0.6 ? here.gateway : here.cloud.slice(0, 2),
    53,
    chance(here.random, 6, 60),
    { share: here.random.pick([0, 0, 0.05, 0.4]), per: [1, here.random.integer(1, 4)], gapMs: 400 },
  ),
];

/** A connection held for hours: a word now and then so that it stays open. */
export const staysInTouch: Habit = (here) => [
  conversation(
    here,
    'kept',
    someCloud(here),
    here.random.pick([443, 443, 8883, 5228, 8443, 7001]),
    clock(here.random, 3, 60),
    {
      isTls: here.random.next() < 0.7,
      sends: around(here.random, 10, 400),
      asks: around(here.random, 4, 300),
      per: [20, 2000],
    },
  ),
];

/** Telemetry to an API: the same request again and again. */
export const reports: Habit = (here) => {
  const isTls = here.random.next() < 0.6;
  return [
    conversation(here, 'http', someCloud(here), isTls ? 443 : here.random.pick([80, 8080]), clock(here.random, 3, 90), {
      isTls,
      sends: around(here.random, 60, 4000),
      asks: around(here.random, 20, 2500),
      per: [1, here.random.pick([1, 1, 2, 5])],
      thinks: [5, here.random.integer(10, 400)],
    }),
  ];
};

/** A sensor's whole life: one and the same small flow, for hours. */
export const isMonotonous: Habit = (here) => {
  const { random } = here;
  const size = random.integer(12, 300);
  const rhythm: Rhythm = {
    kind: 'clock',
    everyMs: Math.round(random.between(0.7, 20) * second),
    jitter: random.pick([0, 0, 0.01]),
  };
  const fixed = { sends: [size, size] as Range, asks: [random.integer(8, 200), 0] as Range };
  const asks: Range = [fixed.asks[0], fixed.asks[0]];
  const to = here.hub ?? someCloud(here);
  return [
    random.pick([
      () => conversation(here, 'http', someCloud(here), 80, rhythm, { sends: fixed.sends, asks, thinks: [5, 5] }),
      () => conversation(here, 'ask', someCloud(here), 5683, rhythm, { sends: fixed.sends, asks, thinks: [1, 1] }),
      () => conversation(here, 'mqtt', to, 1883, rhythm, { sends: fixed.sends, per: [1, 1] }),
      () =>
        conversation(here, 'tell', someCloud(here), random.pick([514, 8125, 5555]), rhythm, {
          sends: fixed.sends,
          share: 0,
        }),
      () => conversation(here, 'name', here.gateway, 53, rhythm, { per: [1, 1] }),
    ])(),
  ];
};

export const publishes: Habit = (here) => {
  const { random } = here;
  const isAwake = random.next() < 0.6; // the others wake up, report, and sleep
  const isTls = random.next() < 0.35 || here.hub === null;
  const to = here.hub !== null && !isTls ? here.hub : someCloud(here);
  return [
    conversation(
      here,
      'mqtt',
      to,
      isTls ? 8883 : 1883,
      random.next() < 0.7 ? clock(random, 1, 30) : chance(random, 3, 40),
      { isTls, sends: around(random, 8, 900), per: isAwake ? [5, 600] : [1, 1], share: random.pick([0, 0, 0.3, 1]) },
    ),
  ];
};

export const announces: Habit = (here) => [
  conversation(
    here,
    'tell',
    here.random.pick(['239.255.255.250', '239.255.255.250', here.broadcast]),
    here.random.pick([1900, 3702, 6666]),
    chance(here.random, 15, 120),
    {
      sends: around(here.random, 90, 420),
      per: [1, here.random.integer(1, 5)],
      gapMs: 120,
      share: here.random.pick([0, 1]),
    },
  ),
  conversation(here, 'tell', '224.0.0.251', 5353, chance(here.random, 20, 180), {
    sends: around(here.random, 40, 500),
    per: [1, 3],
    gapMs: 900,
    share: 1,
  }),
];

/** Something moved: pictures or a clip to the cloud. Honest, and close to exfiltration in shape. */
export const uploadsPictures: Habit = (here) => [
  conversation(here, 'http', someCloud(here, 2), 443, chance(here.random, 15, 120), {
    isTls: true,
    sends: [here.random.integer(8000, 60_000), here.random.integer(60_000, 600_000)],
    asks: [20, 300],
    per: [1, here.random.integer(1, 6)],
    gapMs: 700,
  }),
];

/** Every night, or here every few minutes: everything to the cloud, in large pieces. */
export const backsUp: Habit = (here) => [
  conversation(here, 'http', someCloud(here), 443, chance(here.random, 300, 1200), {
    isTls: here.random.next() < 0.8,
    sends: [60_000, here.random.integer(200_000, 2_000_000)],
    asks: [20, 200],
    per: [2, 8],
    gapMs: 150,
  }),
];

export const updates: Habit = (here) =>
  [
    conversation(here, 'http', someCloud(here, 2), here.random.pick([80, 443]) as 80, chance(here.random, 120, 700), {
      asks: [40_000, here.random.integer(200_000, 2_500_000)],
      per: [1, 3],
      gapMs: 500,
      isTls: false,
    }),
  ].map((one) => ({ ...one, isTls: one.port === 443 }));

/** A clip or a live view: media to the recorder or the cloud for a while. */
export const streams: Habit = (here) => {
  const to = here.recorder !== null && here.random.next() < 0.5 ? here.recorder : someCloud(here);
  return [
    conversation(here, 'stream', to, 5004, chance(here.random, 90, 400), {
      sends: [300, here.random.integer(600, 1200)],
      asks: here.random.next() < 0.5 ? [0, 0] : [40, 90],
      per: [4, 40],
      gapMs: here.random.between(25, 120),
      share: here.random.pick([0, 0.1, 0.3]),
    }),
  ];
};

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

/** A hub asks its devices how they are. */
export const polls: Habit = (here) =>
  here.webs.slice(0, 4).map((web) =>
    conversation(here, 'http', web, 80, clock(here.random, 2, 30), {
      asks: around(here.random, 40, 3000),
      sends: [0, here.random.pick([0, 0, 200])],
      per: [1, here.random.pick([1, 1, 4])],
    }),
  );

/** A management station walks through counters. */
export const walks: Habit = (here) =>
  here.hub === null
    ? []
    : [
        conversation(here, 'ask', here.hub, 161, clock(here.random, 10, 60), {
          sends: around(here.random, 40, 90),
          asks: around(here.random, 50, 300),
          per: [4, 40],
          gapMs: 8,
          thinks: [0, 4],
        }),
      ];

/** Field bus over TCP: question and answer, several times a second, for ever. */
export const controls: Habit = (here) =>
  here.hub === null
    ? []
    : [
        conversation(
          here,
          'kept',
          here.hub,
          502,
          { kind: 'clock', everyMs: Math.round(here.random.between(150, 3000)), jitter: here.random.pick([0, 0.05]) },
          { sends: [2, 12], asks: around(here.random, 9, 120), per: [200, 5000], thinks: [1, 15] },
        ),
      ];

export const writesLogs: Habit = (here) => [
  conversation(here, 'tell', here.hub ?? someCloud(here), 514, chance(here.random, 4, 60), {
    sends: [60, 400],
    share: here.random.pick([0, 1]),
    per: [1, here.random.integer(1, 20)],
    gapMs: 30,
  }),
];

/** Its maker is gone, its hub has moved: it tries again for ever. */
export const cannotReach: Habit = (here) => {
  const isRefused = here.random.next() < 0.5;
  const to = isRefused
    ? here.random.pick([here.gateway, ...here.cloud])
    : `198.19.${here.random.integer(200, 254)}.${here.random.integer(1, 254)}`;
  return [
    conversation(here, 'dead', to, here.random.pick([443, 8443, 6379, 1884, 9]), clock(here.random, 10, 120), {
      per: [1, here.random.pick([1, 1, 3, 6])],
      gapMs: here.random.between(200, 3000),
      thinks: [1000, here.random.integer(1500, 12_000)],
    }),
  ];
};

const shellOptions = [
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
