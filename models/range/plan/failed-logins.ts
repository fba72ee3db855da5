/** Log-ins that fail while nobody attacks: old passwords and keys of jobs, people who mistype, clients that were locked out. */
import { type Door, doors, failing } from './doors.ts';
import { type Draft, across, answers, at, outsideFiles, someDevice } from './draft.ts';
import { around, chance, clock, conversation } from './neighbourhood.ts';
import { shellOptions } from './people-habits.ts';
import { addressOf } from './site-plan.ts';

export function failedLogins(draft: Draft): void {
  const { random } = draft;
  if (random.next() < 0.8) oldPassword(draft, 'ssh');
  if (random.next() < 0.5) oldPassword(draft, 'ftp');
  if (random.next() < 0.5) oldWebPassword(draft);
  if (random.next() < 0.6) mistypes(draft);
  if (random.next() < 0.7) lockedOut(draft);
  if (random.next() < 0.5) worksOutside(draft);
  if (random.next() < 0.4) watchedFromOutside(draft);
}

/** A backup job or a monitor that nobody told of the new password: every ten seconds to two minutes, for ever. */
function oldPassword(draft: Draft, kind: 'ssh' | 'ftp'): void {
  const { random } = draft;
  const device = someDevice(draft, 'recorder', 'hub', 'laptop', 'camera', 'controller');
  const from = at(draft, device).from;
  const door = random.pick(doors(draft, device, kind));
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'run', door.address, door.port, clock(random, 10, 120), {
      commands: [failing(draft, kind, from, door)],
    }),
  );
}

/** A page that is asked for with a password of last year. */
function oldWebPassword(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'hub', 'laptop', 'recorder', 'plug');
  const others = across(draft, device);
  const isNear = others.length > 0 && random.next() < 0.6;
  const other = isNear ? random.pick(others) : null;
  const port = isNear ? random.pick([8080, 8081, 10_000, 49_153]) : random.pick([80, 443]);
  if (other !== null) answers(draft, other, port);
  const to = other === null ? random.pick(site.cloud) : addressOf(site, other);
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'poll', to, port, clock(random, 8, 90), {
      isTls: port === 443,
      sends: random.pick([[0, 0], around(random, 40, 400)]),
      asks: around(random, 60, 600),
      per: [1, random.pick([1, 1, 3])],
      gapMs: random.between(300, 3000),
      unauthorized: 'always',
    }),
  );
}

/** Five to eight wrong passwords, typed; then the right one. */
function mistypes(draft: Draft): void {
  const { random } = draft;
  const device = someDevice(draft, 'laptop');
  const from = at(draft, device).from;
  const door = random.pick(doors(draft, device, 'ssh'));
  const bound = [...shellOptions, '-b', from, '-p', String(door.port)];
  const wrong = `{folder}/mistyped ${bound.join(' ')} -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=${random.pick([1, 1, 3])} root@${door.address}`;
  const right = `ssh ${bound.join(' ')} -i ${door.key} root@${door.address} 'sleep 2; uptime'`;
  const tries = random.integer(5, 8);
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'run', door.address, door.port, chance(random, 60, 300), {
      commands: [
        [
          'sh',
          '-c',
          `for try in $(seq ${tries}); do ${wrong}; sleep ${random.between(0.8, 4).toFixed(1)}; done; ${right}`,
        ],
      ],
    }),
  );
}

/** MQTT with a wrong password: refused, again after a longer pause. */
function lockedOut(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'plug', 'camera', 'sensor', 'thermostat', 'meter');
  const others = across(draft, device);
  const other = others.length > 0 && random.next() < 0.5 ? random.pick(others) : null;
  const isTls = random.next() < 0.4;
  const port = isTls ? 8884 : 1884;
  const address = other === null ? random.pick(site.cloud) : addressOf(site, other);
  draft.servings[other?.half ?? 'outside'].push({ kind: 'denying', address, port, isTls });
  draft.conversations[device.half].push(
    conversation(
      at(draft, device),
      'denied',
      address,
      port,
      { kind: 'clock', everyMs: random.integer(4, 120) * 1000, jitter: random.pick([0, 0.1, 0.5]) },
      { isTls, gapMs: random.pick([500, 1000, 2000, 5000]), per: [10, 200] },
    ),
  );
}

/** Somebody of the house works on a host outside: a shell, copies, files by FTP, a password mistyped now and then. */
function worksOutside(draft: Draft): void {
  const { random, site } = draft;
  const device = someDevice(draft, 'laptop', 'recorder');
  const from = at(draft, device).from;
  const shell = doors(draft, device, 'ssh').at(-1)!;
  const bound = [...shellOptions, '-b', from, '-p', '22', '-i', shell.key, `root@${shell.address}`];
  const files = ['curl', '-s', '-m', '60', '--interface', from, '-o', '/dev/null'];
  draft.conversations[device.half].push(
    conversation(at(draft, device), 'run', shell.address, 22, chance(random, 30, 200), {
      commands: [
        ['ssh', ...bound, 'uptime'],
        ['ssh', ...bound, `head -c ${random.integer(20_000, 900_000)} /dev/zero`],
        ['ssh', ...bound, `sleep ${random.integer(1, 9)}; ls /usr/bin | head -${random.integer(3, 300)}`],
        failing(draft, 'ssh', from, shell),
      ],
    }),
    conversation(at(draft, device), 'run', outsideFiles(site), 21, chance(random, 40, 240), {
      commands: [0, 1, 2].map((number) => [...files, `ftp://${outsideFiles(site)}:21/record${number}.bin`]),
    }),
  );
}

/** A monitor outside that looks whether the shell is there, with an account that is gone. */
function watchedFromOutside(draft: Draft): void {
  const { random, site } = draft;
  const from = random.pick(site.people);
  const found = site.devices.flatMap((device) =>
    device.services.flatMap(({ kind, port, forwardedPort }): Door[] => {
      if (kind !== 'ssh' || (site.isTranslated && forwardedPort === null)) return [];
      const address = site.isTranslated ? site.outer : addressOf(site, device);
      return [{ address, port: site.isTranslated ? forwardedPort! : port, key: '' }];
    }),
  );
  if (found.length === 0) return;
  const door = random.pick(found);
  draft.conversations.outside.push(
    conversation({ random, from, from6: null }, 'run', door.address, door.port, clock(random, 15, 120), {
      commands: [failing(draft, 'ssh', from, door)],
    }),
  );
}
