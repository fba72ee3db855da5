/** The gateway of a site and what devices refuse: address translation, forwarded ports, filters, as nftables scripts. */
import type { Namespace } from './namespace.ts';
import { Random } from './random.ts';
import { type DevicePlan, type SitePlan, address6Of, addressOf } from './plan/site-plan.ts';

/** Inside addresses become the outer one, and forwarded ports lead in. Outside, closed ports are refused or dropped. */
export async function translate(gateway: Namespace, site: SitePlan): Promise<void> {
  if (!site.isTranslated) return;
  const forwards = site.devices.flatMap((device) =>
    device.services.flatMap(({ port, forwardedPort }) =>
      forwardedPort === null
        ? []
        : [`    iifname "wan0" tcp dport ${forwardedPort} dnat to ${addressOf(site, device)}:${port}`],
    ),
  );
  const isSilent = new Random(site.seed ^ 0x5eed).next() < 0.6;
  await gateway.nft(
    [
      'table ip nat {',
      '  chain in { type nat hook prerouting priority dstnat;',
      ...forwards,
      '  }',
      '  chain out { type nat hook postrouting priority srcnat;',
      `    oifname "wan0" ip saddr ${site.lan}.0/24 masquerade`,
      '  }',
      '}',
      'table inet closed {',
      '  chain input { type filter hook input priority 0;',
      isSilent ? '    iifname "wan0" ct state new drop' : '    iifname "wan0" ct state invalid drop',
      '  }',
      '}',
    ].join('\n'),
  );
}

/** What a device does with packets to ports where nothing listens; its own conversations live above 32767. */
export async function filter(namespace: Namespace, site: SitePlan, devices: readonly DevicePlan[]): Promise<void> {
  const rules: string[] = [];
  const redirects: string[] = [];
  for (const device of devices) {
    const own = site.servings[device.half].filter(({ address }) => address === addressOf(site, device));
    const open = [
      ...device.services.map(({ port }) => port),
      ...(device.role === 'hub' ? [502] : []),
      ...(site.edition === 1
        ? []
        : own.filter(({ kind }) => kind === 'http' || kind === 'denying').map(({ port }) => port)),
    ];
    const random = new Random(site.seed + device.host);
    for (const target of targets(site, device)) {
      const accept = open.length === 0 ? [] : [`    ${target} tcp dport { ${[...new Set(open)].join(', ')} } accept`];
      if (device.filter === 'drop') {
        rules.push(...accept, `    ${target} udp dport { 161, 5004, 5683 } accept`);
        rules.push(`    ${target} meta l4proto { tcp, udp } th dport 1-32767 drop`);
        if (random.next() < 0.5)
          rules.push(
            `    ${target} icmp type echo-request drop`.replace('icmp', target.startsWith('ip6') ? 'icmpv6' : 'icmp'),
          );
      } else if (device.filter === 'half') {
        const from = random.integer(1, 4000);
        rules.push(...accept, `    ${target} udp dport { 161, 5004, 5683 } accept`);
        rules.push(
          `    ${target} meta l4proto { tcp, udp } th dport ${from}-${from + random.integer(200, 20_000)} drop`,
        );
      } else if (device.filter === 'tarpit' && !target.startsWith('ip6')) {
        const others = open.length === 0 ? '' : `tcp dport != { ${[...new Set(open)].join(', ')} } `;
        redirects.push(`    ${target} tcp dport 1-32767 ${others}redirect to :9`);
      }
    }
  }
  if (rules.length > 0) {
    await namespace.nft(
      ['table inet filter {', ' chain input { type filter hook input priority 0;', ...rules, ' }', '}'].join('\n'),
    );
  }
  if (redirects.length > 0) {
    await namespace.nft(
      ['table ip tarpit {', ' chain in { type nat hook prerouting priority dstnat;', ...redirects, ' }', '}'].join(
        '\n',
      ),
    );
  }
}

function targets(site: SitePlan, device: DevicePlan): string[] {
  const long = address6Of(site, device);
  return [`ip daddr ${addressOf(site, device)}`, ...(long === null ? [] : [`ip6 daddr ${long}`])];
}
