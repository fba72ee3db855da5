/** Much at once or the same for ever, and honest: full pages, firmware for everybody, clips, backups, heartbeats. */
import { type Draft, at, someDevice } from './draft.ts';
import { around, chance, clock, conversation } from './neighbourhood.ts';

export function bursts(draft: Draft): void {
  const { random } = draft;
  if (random.next() < 0.7) loadsFullPages(draft);
  if (random.next() < 0.4) updatesEverybody(draft);
  if (random.next() < 0.6) sendsClips(draft);
  if (random.next() < 0.4) backsUpForLong(draft);
  for (let left = random.integer(1, 3); left > 0; left--) beats(draft);
  if (random.next() < 0.5) waitsForNews(draft);
}

/** Thirty to sixty small requests on many connections, most of them to one host. */
function loadsFullPages(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'laptop', 'television');
  const isTls = random.next() < 0.7;
  const to = Array.from({ length: random.integer(1, 2) }, () => random.pick(site.cloud));
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'visit', to, isTls ? 443 : 80, chance(random, 20, 120), {
      isTls,
      asks: [100, random.integer(600, 6000)],
      per: [8, 16],
      gapMs: random.between(10, 150),
      thinks: [2, 80],
    }),
  );
}

/** A new firmware: several devices fetch it within half a minute of each other. */
function updatesEverybody(draft: Draft): void {
  const { random, site } = draft;
  const to = random.pick(site.cloud);
  const isTls = random.next() < 0.5;
  const rhythm = { kind: 'clock', everyMs: random.integer(150, 500) * 1000, jitter: 0 } as const;
  const bytes = random.integer(300_000, 3_000_000);
  for (const device of site.devices.slice(0, random.integer(3, 6))) {
    draft.conversations[device.half].push(
      conversation(at(draft, device), 'http', to, isTls ? 443 : 80, rhythm, {
        isTls,
        asks: [bytes, bytes],
        per: [1, 2],
      }),
    );
  }
}

/** Something moved for long: a video goes out, as a file or as it is filmed. */
function sendsClips(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'camera', 'doorbell', 'vacuum');
  const to = random.pick(site.cloud);
  const live = conversation(at(draft, device), 'kept', to, 8443, clock(random, 0.3, 1.5), {
    isTls: true,
    sends: [8000, random.integer(20_000, 90_000)],
    asks: [2, 40],
    per: [60, 400],
  });
  const file = conversation(at(draft, device), 'http', to, random.pick([443, 443, 80]), chance(random, 60, 300), {
    sends: [200_000, random.integer(800_000, 6_000_000)],
    asks: [20, 300],
    per: [1, random.integer(1, 5)],
    gapMs: 500,
  });
  draft.conversations[device.half].push(random.next() < 0.4 ? live : { ...file, isTls: file.port === 443 });
}

/** A disk goes to the cloud, piece by piece, for several minutes. */
function backsUpForLong(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'recorder', 'laptop');
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'http', random.pick(site.cloud), 443, chance(random, 100, 400), {
      isTls: true,
      sends: [60_000, random.integer(200_000, 1_200_000)],
      asks: [20, 200],
      per: [30, 200],
      gapMs: random.between(100, 1500),
    }),
  );
}

/** "I am here", every five to sixty seconds to one host: by clients of our own, and by others' too. */
function beats(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'sensor', 'plug', 'camera', 'thermostat', 'hub', 'meter', 'speaker', 'vacuum');
  const here = at(draft, device);
  const to = random.pick(site.cloud);
  const isTls = random.next() < 0.6;
  const port = isTls ? 443 : 80;
  const rhythm = clock(random, 5, 60);
  const size = random.integer(4, 400);
  const answer = random.integer(2, 300);
  const url = `http${isTls ? 's' : ''}://${to}:${port}/${random.word(8)}?size=${answer}`;
  const post = random.next() < 0.5 ? ['-d', random.word(size)] : [];
  draft.conversations[device.half].push(
    random.pick([
      () => conversation(here, 'http', to, port, rhythm, { isTls, sends: [size, size], asks: [answer, answer] }),
      () => conversation(here, 'http', to, port, rhythm, { isTls, asks: [answer, answer] }),
      () => conversation(here, 'kept', to, 7001, rhythm, { sends: [size, size], asks: [answer, answer], per: [1, 1] }),
      () =>
        conversation(here, 'ask', to, random.pick([5683, 3478, 123]), rhythm, { sends: [size, size], asks: [8, 8] }),
      () =>
        conversation(here, 'run', to, port, rhythm, {
          commands: [['curl', '-k', '-s', '-m', '8', '--interface', here.from, ...post, '-o', '/dev/null', url]],
        }),
    ])(),
  );
}

/** A request that is answered when there is something to say: on one connection, for ever. */
function waitsForNews(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'laptop', 'television', 'speaker', 'hub', 'thermostat');
  const wait = random.integer(4000, 28_000);
  const isTls = random.next() < 0.8;
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'http', random.pick(site.cloud), isTls ? 443 : 80, clock(random, 1, 5), {
      isTls,
      sends: random.pick([[0, 0], around(random, 20, 300)]),
      asks: around(random, 2, 200),
      per: [1, random.pick([1, 40, 400])],
      gapMs: 50,
      thinks: random.pick([
        [wait, wait],
        [500, wait],
      ]),
    }),
  );
}
