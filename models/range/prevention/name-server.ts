/** A resolver outside, which knows every name. */
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import type { Namespace } from '../namespace.ts';
import { eventually } from '../running-program.ts';
import { tryPort } from './conversations.ts';
import type { GuardedNetwork } from './guarded-network.ts';
import type { Host } from './hosts.ts';

/** It answers when this resolves. */
export async function startResolver(network: GuardedNetwork, { namespace, address }: Host): Promise<void> {
  const file = join(network.folder, 'resolver.conf');
  const lines = ['no-resolv', 'no-hosts', 'user=root', 'bind-interfaces', 'pid-file=', `listen-address=${address}`];
  await writeFile(file, [...lines, 'address=/#/198.51.100.77', ''].join('\n'));
  network.start(namespace, ['/usr/sbin/dnsmasq', '-k', '-C', file]);
  await eventually(() => tryPort(namespace, address, 53), Boolean, 30_000);
}

/** dnsmasq on the gateway, which asks this resolver, as a router has it: resolv.conf names nobody but itself. */
export async function startForwarder(network: GuardedNetwork, { address }: Host): Promise<void> {
  const { gateway } = network;
  const lines = ['no-resolv', 'no-hosts', 'user=root', 'bind-interfaces', 'pid-file=', 'listen-address=127.0.0.1'];
  await gateway.overlay('dnsmasq.conf', [...lines, `server=${address}`, ''].join('\n'));
  await gateway.overlay('resolv.conf', 'nameserver 127.0.0.1\n');
  network.start(gateway, ['/usr/sbin/dnsmasq', '-k', '-C', '/etc/dnsmasq.conf']);
  await eventually(() => tryPort(gateway, '127.0.0.1', 53), Boolean, 30_000);
}

/** Asks as a program of this namespace does, by its resolv.conf. */
export async function resolve(from: Namespace, name: string): Promise<boolean> {
  const { stdout } = await from.run(['busybox', 'nslookup', '-type=a', name]);
  return stdout.includes('198.51.100.77');
}
