/** Apps and bridges that poll: a hub's list of lamps twice a second, a plug's state over SOAP or behind a digest log-in. */
import type { Rhythm } from '../programs/conversation.ts';
import { type Draft, across, answers, at, someDevice } from './draft.ts';
import { around, chance, clock, conversation } from './neighbourhood.ts';
import { type DevicePlan, addressOf } from './site-plan.ts';

const apps = ['laptop', 'hub', 'television', 'speaker', 'controller', 'recorder'] as const;

export function pollers(draft: Draft): void {
  for (let left = draft.random.integer(1, 3); left > 0; left--) {
    const app = someDevice(draft, ...apps);
    const gadgets = across(draft, app);
    if (gadgets.length === 0 || draft.random.next() < 0.2) pollsCloud(draft, app);
    else draft.random.pick([pollsLamps, pollsLamps, pollsSoap, pollsPlug])(draft, app, draft.random.pick(gadgets));
  }
}

/** One to four requests a second, for one to six minutes; then a rest. */
function spells({ random }: Draft): {
  readonly rhythm: Rhythm;
  readonly per: [number, number];
  readonly gapMs: number;
} {
  const gapMs = Math.round(random.pick([250, 333, 500, 500, 1000, random.between(250, 1100)]));
  const most = Math.round((random.between(60, 360) * 1000) / gapMs);
  return { rhythm: chance(random, 20, 150), per: [Math.round(most / 3), most], gapMs };
}

/** `GET /api/USER/lights`; now and then a lamp is told something. */
function pollsLamps(draft: Draft, app: DevicePlan, gadget: DevicePlan): void {
  const { random, site } = draft;
  const spell = spells(draft);
  const port = random.pick([80, 80, 80, 8080]);
  answers(draft, gadget, port);
  const to = addressOf(site, gadget);
  const share = random.pick([0, 0, 1, 0.5]);
  draft.conversations[app.half].push(
    conversation(at(draft, app), 'poll', to, port, spell.rhythm, {
      ...spell,
      asks: around(random, 120, 9000),
      thinks: [2, random.integer(5, 60)],
      share,
    }),
    conversation(at(draft, app), 'poll', to, port, chance(random, 30, 200), {
      sends: around(random, 15, 120),
      asks: around(random, 40, 300),
      per: [1, random.integer(1, 12)],
      gapMs: random.between(120, 900),
      share,
    }),
  );
}

/** SOAP at a port of the dynamic range; the plug calls back what has changed. */
function pollsSoap(draft: Draft, app: DevicePlan, gadget: DevicePlan): void {
  const { random, site } = draft;
  const spell = spells(draft);
  const port = random.pick([49_152, 49_153, 49_153, 49_154]);
  const backPort = random.integer(3400, 3500);
  answers(draft, gadget, port);
  answers(draft, app, backPort);
  const to = addressOf(site, gadget);
  draft.conversations[app.half].push(
    conversation(at(draft, app), 'poll', to, port, spell.rhythm, {
      ...spell,
      gapMs: random.between(500, 2500),
      sends: around(random, 260, 700),
      asks: around(random, 200, 600),
      share: random.pick([0, 0, 0, 1]),
    }),
    // SUBSCRIBE, and renewed
    conversation(at(draft, app), 'http', to, port, clock(random, 40, 200), { asks: [0, 0] }),
  );
  draft.conversations[gadget.half].push(
    conversation(at(draft, gadget), 'http', addressOf(site, app), backPort, chance(random, 3, 40), {
      sends: around(random, 200, 500),
      asks: [0, 0],
      per: [1, random.pick([1, 1, 3])],
    }),
  );
}

/** A plug on port 10000: each POST is answered 401 first and then, with the digest, 200. */
function pollsPlug(draft: Draft, app: DevicePlan, gadget: DevicePlan): void {
  const { random, site } = draft;
  const spell = spells(draft);
  const port = random.pick([10_000, 10_000, 8899, 8081]);
  answers(draft, gadget, port);
  draft.conversations[app.half].push(
    conversation(at(draft, app), 'poll', addressOf(site, gadget), port, spell.rhythm, {
      ...spell,
      gapMs: random.between(400, 3000),
      sends: around(random, 150, 500),
      asks: around(random, 80, 500),
      share: random.pick([0, 0, 1]),
      unauthorized: 'first',
    }),
  );
}

/** The same from afar, where the maker's cloud stands between app and device. */
function pollsCloud(draft: Draft, app: DevicePlan): void {
  const { random, site } = draft;
  const spell = spells(draft);
  const isTls = random.next() < 0.7;
  draft.conversations[app.half].push(
    conversation(at(draft, app), 'poll', random.pick(site.cloud), isTls ? 443 : 80, spell.rhythm, {
      ...spell,
      isTls,
      sends: random.pick([[0, 0], around(random, 40, 900)]),
      asks: around(random, 30, 3000),
      thinks: [5, random.integer(10, 200)],
      share: random.pick([0, 1, 1]),
    }),
  );
}
