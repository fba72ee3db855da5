/** Beacons: a device that was taken over reports to its master, again and again. */
import type { Range } from '../programs/conversation.ts';
import { type Family, byPart, spread } from './episode.ts';
import { type Make, about, errand, implant, loop, ports, serving } from './implant.ts';

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
