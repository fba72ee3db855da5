/** Password guessing: ssh, ftp, telnet and web log-ins, by every tool of the trade, at every pace. */
import type { ServiceKind } from '../plan/site-plan.ts';
import type { Random } from '../random.ts';
import { type EpisodePlan, type Family, attacker, between, byPart, episode, reachable } from './episode.ts';
import { alsoInside, fromDevice } from './inside.ts';
import {
  type Make,
  curlFtp,
  hydra,
  hydraForm,
  lftp,
  medusa,
  ncrack,
  patator,
  patatorForm,
  sshLoop,
  sshpass,
} from './guess-tools.ts';

const users = ['root', 'admin', 'pi', 'ubuntu', 'support', 'user', 'test', 'oracle', 'guest', 'operator', 'service'];

function wordList(random: Random): string {
  return `${Array.from({ length: 3000 }, () => random.word(random.integer(3, 16))).join('\n')}\n`;
}

const against =
  (service: ServiceKind, label: EpisodePlan['class'], tool: string, make: Make): Family =>
  (stage) => {
    const target = reachable(stage, service);
    if (target === undefined) return undefined;
    const from = attacker(stage);
    const user = stage.random.pick(users);
    const { argv, step, files = {} } = make(stage, target, user);
    return episode({
      class: label,
      tool,
      step,
      seconds: stage.random.integer(20, 55),
      origin: from,
      argv,
      files: { words: wordList(stage.random), users: `${users.join('\n')}\n`, ...files },
      truth: [between(from.address, null)],
      to: target.address,
    });
  };

const ssh = 'brute_force_ssh';
const ftp = 'brute_force_ftp';
const sshTools: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [
        against('ssh', ssh, 'hydra', hydra('ssh')),
        against('ssh', ssh, 'hydra', hydra('ssh')),
        against('ssh', ssh, 'ncrack', ncrack('ssh')),
        against('ssh', ssh, 'ssh loop', sshLoop),
      ],
      validation: [
        against('ssh', ssh, 'medusa', medusa('ssh')),
        against('ssh', ssh, 'medusa', medusa('ssh')),
        against('ssh', ssh, 'hydra', hydra('ssh')),
        against('ssh', ssh, 'ssh loop', sshLoop),
      ],
      test: [
        against('ssh', ssh, 'patator', patator('ssh_login')),
        against('ssh', ssh, 'patator', patator('ssh_login')),
        against('ssh', ssh, 'sshpass loop', sshpass),
        against('ssh', ssh, 'medusa', medusa('ssh')),
      ],
    }),
  )(stage);

const ftpTools: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [
        against('ftp', ftp, 'hydra', hydra('ftp')),
        against('ftp', ftp, 'hydra', hydra('ftp')),
        against('ftp', ftp, 'ncrack', ncrack('ftp')),
        against('ftp', ftp, 'curl ftp loop', curlFtp),
      ],
      validation: [
        against('ftp', ftp, 'medusa', medusa('ftp')),
        against('ftp', ftp, 'hydra', hydra('ftp')),
        against('ftp', ftp, 'curl ftp loop', curlFtp),
      ],
      test: [
        against('ftp', ftp, 'patator', patator('ftp_login')),
        against('ftp', ftp, 'patator', patator('ftp_login')),
        against('ftp', ftp, 'lftp loop', lftp),
        against('ftp', ftp, 'medusa', medusa('ftp')),
      ],
    }),
  )(stage);

export const guessSsh = alsoInside(sshTools, fromDevice(sshTools, ['ssh']));
export const guessFtp = alsoInside(ftpTools, fromDevice(ftpTools, ['ftp']));

const other = 'other_attack';
const otherTools: Family = (stage) =>
  stage.random.pick(
    byPart<Family>(stage.part, {
      train: [against('telnet', other, 'hydra', hydra('telnet')), against('web', other, 'hydra', hydraForm)],
      validation: [against('telnet', other, 'medusa', medusa('telnet')), against('web', other, 'hydra', hydraForm)],
      test: [
        against('telnet', other, 'patator', patator('telnet_login')),
        against('web', other, 'patator', patatorForm),
      ],
    }),
  )(stage);
export const guessOthers = alsoInside(otherTools, fromDevice(otherTools, ['telnet']));
