/** Shells and file servers that somebody of a site can knock at, and ways to be turned away there. */
import { type Draft, across, outsideFiles, outsideShell } from './draft.ts';
import { shellOptions } from './people-habits.ts';
import { type DevicePlan, type ServiceKind, addressOf } from './site-plan.ts';

export interface Door {
  readonly address: string;
  readonly port: number;
  /** With which one gets in. */
  readonly key: string;
}

/** Doors that a device reaches through the gateway: of the other half, and of hosts outside. */
export function doors(draft: Draft, device: DevicePlan, kind: ServiceKind): Door[] {
  const { site } = draft;
  const near = across(draft, device).flatMap((other) =>
    other.services
      .filter((service) => service.kind === kind)
      .map(({ port }) => ({ address: addressOf(site, other), port, key: `{folder}/${other.name}/user_key` })),
  );
  const far =
    kind === 'ssh'
      ? { address: outsideShell(site), port: 22, key: '{folder}/outside-shell/user_key' }
      : { address: outsideFiles(site), port: 21, key: '' };
  return [...near, far];
}

/** Ways to fail at a door; `tries` in a row. */
export function failing(draft: Draft, kind: 'ssh' | 'ftp', from: string, { address, port }: Door): string[] {
  const { random } = draft;
  const tries = random.pick([1, 1, 1, 2, 3]);
  const bound = [...shellOptions, '-b', from, '-p', String(port)];
  const once =
    kind === 'ftp'
      ? [
          'curl',
          '-s',
          '-m',
          '30',
          '--interface',
          from,
          '-u',
          'backup:old',
          '-o',
          '/dev/null',
          `ftp://${address}:${port}/`,
        ]
      : random.pick([
          [
            '{folder}/mistyped',
            ...bound,
            '-o',
            'PubkeyAuthentication=no',
            '-o',
            `NumberOfPasswordPrompts=${random.integer(1, 3)}`,
            `root@${address}`,
          ],
          [
            'ssh',
            ...bound,
            '-o',
            'BatchMode=yes',
            '-o',
            'IdentitiesOnly=yes',
            '-i',
            '{folder}/key.pem',
            `backup@${address}`,
            'true',
          ],
          ['ssh', ...bound, '-o', 'BatchMode=yes', '-o', 'PubkeyAuthentication=no', `monitor@${address}`, 'true'],
        ]);
  return repeated(once, tries, random.between(0.2, 4));
}

const repeated = (once: readonly string[], times: number, pauseSeconds: number): string[] =>
  times === 1
    ? [...once]
    : ['sh', '-c', `for try in $(seq ${times}); do "$@"; sleep ${pauseSeconds.toFixed(1)}; done`, 'sh', ...once];
