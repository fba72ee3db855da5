/** Scans by nmap: kinds, paces, port ranges; of one device, of the whole LAN, and by a device of its neighbours. */
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

const scan = (options: string, ports: string, target: 'device' | 'lan', seconds = 20): AttackStep => ({
  name: `nmap ${options} ${ports} ${target}`,
  class: 'port_scan',
  seconds,
  command: ({ site, random, attacker }) => {
    const victim = random.pick(site.devices).address;
    const targets = target === 'device' ? [victim] : [`${site.plan.lan}.0/25`];
    const pace = ports === '' ? [] : ports.split(' ');
    return {
      from: attacker,
      argv: ['nmap', '-n', ...options.split(' '), ...pace, ...targets],
      truth: [between(attacker.address, null)],
    };
  },
});

/** An infected device looks for neighbours; it has an address of its own for that, so that its honest flows stay so. */
const scanFromInside = (options: string, ports: string, seconds = 20): AttackStep => ({
  name: `nmap ${options} ${ports} from a device`,
  class: 'port_scan',
  seconds,
  command: async ({ site, random }) => {
    const infected = random.pick(site.devices);
    const address = `${site.plan.lan}.${random.integer(230, 250)}`;
    await infected.namespace.run(['ip', 'address', 'add', `${address}/24`, 'dev', 'eth0']);
    const targets = site.devices.filter((device) => device !== infected).map((device) => device.address);
    return {
      from: { namespace: infected.namespace, address },
      argv: ['nmap', '-n', '-Pn', '-S', address, '-e', 'eth0', ...options.split(' '), ...ports.split(' '), ...targets],
      truth: [between(address, null)],
    };
  },
});

export const portScan: AttackFamily = {
  name: 'port-scan',
  description: 'nmap: SYN, connect, FIN, Xmas, null, UDP, sweeps, several paces',
  steps: {
    train: [
      scan('-Pn -sS -T4', '-p 1-2000', 'device'),
      scan('-Pn -sS -T3', '--top-ports 300', 'device'),
      scan('-Pn -sS --max-rate 40', '--top-ports 400', 'device', 14),
      scan('-Pn -sT -T3', '-p 1-1024', 'device'),
      scan('-Pn -sT --max-rate 25', '--top-ports 300', 'device', 14),
      scan('-Pn -sF -T4', '--top-ports 200', 'device'),
      scan('-Pn -sX -T3', '--top-ports 150', 'device'),
      scan('-Pn -sU --max-rate 60', '--top-ports 120', 'device', 14),
      scan('-sn -T4', '', 'lan'),
      scan('-Pn -sS --max-rate 150', '-p 22,23,80,443', 'lan', 14),
      scan('-Pn -sV -T4', '-p 21,22,80,1883', 'device', 25),
      scan('-Pn -sS -T2', '-p 20-60', 'device', 18),
      scanFromInside('-sS -T4', '--top-ports 100'),
      scanFromInside('-sS --max-rate 30', '-p 21,22,23,80,554,1883,8080', 14),
    ],
    validation: [
      scan('-Pn -sS -T5', '-p 1-1500', 'device'),
      scan('-Pn -sS --max-rate 15', '--top-ports 500', 'device', 15),
      scan('-Pn -sT -T4', '--top-ports 500', 'device'),
      scan('-Pn -sN -T4', '--top-ports 180', 'device'),
      scan('-Pn -sU -T4', '--top-ports 60', 'device', 15),
      scan('-PS22,80 -sn -T3', '', 'lan'),
      scan('-Pn -sS --max-rate 80', '-p 21-25', 'lan', 14),
      scanFromInside('-sT --max-rate 60', '--top-ports 80'),
    ],
    demo: [scan('-Pn -sS -T4 --max-rate 40', '--top-ports 320', 'device', 10)],
  },
};
