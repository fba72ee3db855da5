/** Addresses, routes and forwarding of a guarded network: routed, translated or bridged. */
import type { Namespace } from '../namespace.ts';
import { hostPlans, type Forwarding, type Host, type HostName } from './hosts.ts';

const outside = ['attacker', 'bystander', 'controller'] as const;
const inside = ['device', 'neighbour'] as const;

/** The cables are there already: `eth0` in each host, the leg of its plan in the gateway. */
export async function layOut(
  gateway: Namespace,
  hosts: ReadonlyMap<HostName, Host>,
  forwarding: Forwarding,
): Promise<void> {
  const isBridged = forwarding === 'bridged';
  const { network, network6 } = hostPlans.device;
  const commands = [
    'link add lan0 type bridge',
    ...inside.map((name) => `link set ${hostPlans[name].leg} master lan0`),
  ];
  if (isBridged) commands.push('link set wan0 master lan0', 'link set wan1 master lan0');
  commands.push('link set lan0 address 02:00:00:00:77:01 up');
  commands.push(`address add ${network}.1/24 dev lan0`, `-6 address add ${network6}::1/64 dev lan0 nodad`);
  for (const name of outside) {
    if (!hosts.has(name) || (isBridged && name !== 'controller')) continue;
    const plan = hostPlans[name];
    commands.push(`address add ${plan.network}.1/24 dev ${plan.leg}`);
    commands.push(`-6 address add ${plan.network6}::1/64 dev ${plan.leg} nodad`);
  }
  await gateway.ip(commands);
  for (const [name, host] of hosts) await settle(name, host, isBridged);
  if (!isBridged) {
    await gateway.sysctl('net.ipv4.ip_forward', 1);
    await gateway.sysctl('net.ipv6.conf.all.forwarding', 1);
  }
  if (forwarding === 'translated') await translate(gateway);
}

async function settle(name: HostName, { namespace, address, address6, mac }: Host, isBridged: boolean): Promise<void> {
  const { network, network6 } = hostPlans[name];
  // on a bridge everybody is everybody's neighbour, whatever the address
  const way = isBridged && name !== 'controller' ? 'dev eth0' : undefined;
  await namespace.ip([
    `link set eth0 address ${mac}`,
    `address add ${address}/24 dev eth0`,
    `-6 address add ${address6}/64 dev eth0 nodad`,
    `route add default ${way ?? `via ${network}.1`}`,
    `-6 route add default ${way ?? `via ${network6}::1`}`,
  ]);
}

/** What comes to the outer address goes to the device; what leaves has the outer address. */
async function translate(gateway: Namespace): Promise<void> {
  const { network, host } = hostPlans.device;
  await gateway.nft(
    [
      'table ip nat {',
      '  chain in { type nat hook prerouting priority dstnat;',
      `    iifname "wan*" tcp dport { 21, 22, 80, 7007 } dnat to ${network}.${host}`,
      '  }',
      '  chain out { type nat hook postrouting priority srcnat;',
      `    oifname "wan*" ip saddr ${network}.0/24 masquerade`,
      '  }',
      '}',
    ].join('\n'),
  );
}
