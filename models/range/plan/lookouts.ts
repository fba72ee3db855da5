/** Honest hosts that knock where nobody opens: apps that look for neighbours, devices whose clouds and names are gone. */
import { type Draft, across, at, someDevice } from './draft.ts';
import { around, chance, clock, conversation } from './neighbourhood.ts';
import { addressOf } from './site-plan.ts';

export function lookouts(draft: Draft): void {
  const { random } = draft;
  if (random.next() < 0.7) looksAround(draft);
  if (random.next() < 0.3) looksAround(draft);
  if (random.next() < 0.6) looksForCloud(draft);
  if (random.next() < 0.4) asksForDeadNames(draft);
}

/** Casting, printers, lamps: mDNS and SSDP first, then a look at ten to thirty addresses on one port. */
function looksAround(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'laptop', 'television', 'speaker', 'hub');
  const found = across(draft, device).map((other) => addressOf(site, other));
  const guessed = Array.from({ length: random.integer(4, 24) }, () => `${site.lan}.${random.integer(2, 254)}`);
  const here = at(draft, device);
  const own = new Set(site.devices.filter(({ half }) => half === device.half).map((one) => addressOf(site, one)));
  const to = [...new Set([...found, ...guessed])].filter((address) => !own.has(address));
  const rhythm = chance(random, 60, 300);
  draft.conversations[device.half].push(
    conversation(here, 'tell', random.pick(['239.255.255.250', '224.0.0.251']), random.pick([1900, 5353]), rhythm, {
      sends: around(random, 40, 300),
      per: [2, 6],
      gapMs: 300,
    }),
    conversation(here, 'sweep', to, random.pick([80, 80, 8080, 9100, 631, 8008, 8009, 1400, 49_153, 554]), rhythm, {
      gapMs: random.pick([3, 20, 60, 200, 600]),
      thinks: [300, random.integer(500, 3000)],
      share: random.pick([0, 0.5, 1]),
    }),
  );
}

/** It has a list of its maker's hosts, none of which is left: one after another, and over again. */
function looksForCloud(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'sensor', 'camera', 'plug', 'meter', 'vacuum', 'doorbell');
  const dead = Array.from(
    { length: random.integer(3, 14) },
    () => `198.19.${random.integer(200, 254)}.${random.integer(1, 254)}`,
  );
  const to = random.next() < 0.3 ? [...site.cloud.slice(0, 3), ...dead] : dead; // those refuse
  draft.conversations[device.half].push(
    conversation(
      at(draft, device),
      'sweep',
      to,
      random.pick([8444, 8883, 6668, 10_001, 32_100]),
      clock(random, 5, 60),
      {
        gapMs: random.pick([100, 500, 1500, 4000]),
        thinks: [1500, random.integer(2000, 15_000)],
      },
    ),
  );
}

/** The name of its cloud is registered no more: asked for again and again. */
function asksForDeadNames(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'sensor', 'camera', 'plug', 'thermostat', 'meter');
  const to = random.next() < 0.7 ? `${site.lan}.1` : site.cloud.slice(0, 2);
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'name', to, 53, clock(random, 1, 8), {
      share: 1,
      per: [1, random.pick([1, 2, 4])],
      gapMs: random.between(30, 400),
    }),
  );
}
