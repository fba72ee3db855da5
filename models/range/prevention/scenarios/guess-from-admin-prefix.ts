/** Somebody guesses passwords from a prefix that administrators use: at a device, and then at the gateway itself. */
import { ftpGuessing } from '../attacks.ts';
import { countOpened, tryPort } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';

/** Twelve a minute, and the next after five seconds. */
const mostOpened = 14;
const attempts = 40;

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'hydra guesses at a device over a management port, from inside an admin prefix: it is cut there, while the guard still lets its host open the gateway’s own management port, a dozen times a minute: enough to log in, too few to guess.',
  needs: ['hydra', 'vsftpd'],
  network: { services: ['web', 'ftp'] },
  async run(field) {
    const { attacker, bystander, device, gateway, folder } = field.network;
    const own = { namespace: gateway, address: '192.0.2.1', address6: '', mac: '' };
    await field.network.serve(own, 'ftp');
    await field.startAgent({ guard: { admin_prefixes: ['192.0.2.0/24'], management_ports: [21] } });
    await field.expectSoon(
      'that port of the gateway takes all who come together',
      () => countOpened(bystander.namespace, own.address, 21, attempts),
      (unlimited) => unlimited === attempts,
    );
    const attack = await field.attackUntilRestricted(attacker, ftpGuessing(folder, device.address), attacker.address);
    await attack[Symbol.asyncDispose]();
    await field.expectReach('the attacker gets nothing from the device afterwards', attacker, false);
    const answers = await tryPort(attacker.namespace, device.address, 21);
    field.expect('nor does it get to that port of the device: on forward the guard is no shield', !answers);
    const overNew = 'the same host still gets to that port of the gateway, over a new connection';
    await field.expectOpen(overNew, attacker.namespace, own.address, 21);
    const seen = (await field.held(attacker.address)).map(({ set }) => set);
    field.expect(
      'it came in past the block by the guard, which counts its connections',
      seen.includes('guard_admin_ipv4') && seen.some((set) => !set.startsWith('guard_')),
      seen,
    );
    const began = performance.now();
    const opened = await countOpened(attacker.namespace, own.address, 21, attempts);
    const seconds = (performance.now() - began) / 1000;
    field.expect(
      `of ${attempts} more at once the guard lets a few in: nobody guesses passwords through it`,
      opened > 2 && opened <= mostOpened + seconds / 5,
      `${opened} in ${seconds.toFixed(1)} s`,
    );
  },
};
