/** Habits of devices: what they say all day, and to whom. */
import type { Range, Rhythm } from '../programs/conversation.ts';
import { type Habit, around, chance, clock, conversation, second, someCloud } from './neighbourhood.ts';

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
