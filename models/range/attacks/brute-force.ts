/** Password guessing by hydra against ssh and ftp: one thread to many, with and without pauses, different users. */
import { writeFile } from 'node:fs/promises';
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

export const bruteForceSsh: AttackFamily = {
  name: 'brute-force-ssh',
  description: 'hydra against sshd, 1 to 16 at a time',
  steps: {
    train: [
      guess('ssh', 4),
      guess('ssh', 16),
      guess('ssh', 1),
      guess('ssh', 2, '-W 1'),
      guess('ssh', 8),
      guess('ssh', 1, '-c 2', 30),
      guess('ssh', 12, '-e nsr'),
    ],
    validation: [guess('ssh', 6), guess('ssh', 3, '-e n'), guess('ssh', 10, '-W 2'), guess('ssh', 1, '-c 3', 30)],
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
