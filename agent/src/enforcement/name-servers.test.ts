import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WorkingTime } from '../../../.ci/working-time.ts';
import { parseNameServers, parseOpenResolvers, readNameServers, readOpenResolvers } from './name-servers.ts';

vi.setConfig({ testTimeout: 120_000 });

test.each<[string, string, readonly string[]]>([
  [
    'resolv.conf',
    `# nameserver 192.0.2.99
nameserver 192.0.2.53
 nameserver 2001:DB8::53
nameserver 127.0.0.53
nameserver fe80::53%eth0
nameserver not-an-address
search lan
`,
    ['192.0.2.53', '2001:db8::53', 'fe80::53'],
  ],
  [
    'dnsmasq',
    `no-resolv
#server=192.0.2.99
server=192.0.2.1
server=192.0.2.2#5353
server=/lan.example/192.0.2.3
 server = 2001:db8::1@eth0
server=/blocked.example/
server=/other.example/#
server=127.0.0.1#5335
`,
    ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'],
  ],
  [
    'unbound',
    `forward-zone:
    name: "."
    forward-tls-upstream: yes
    # forward-addr: 192.0.2.99
    forward-addr: 192.0.2.4@853#dns.example
    forward-addr: "2001:db8::4@853#dns.example"
    stub-addr: 192.0.2.5
`,
    ['192.0.2.4', '2001:db8::4', '192.0.2.5'],
  ],
  [
    'systemd-resolved',
    `[Resolve]
#DNS=192.0.2.99
DNS=192.0.2.6 192.0.2.7:853#dns.example [2001:db8::6]:853%eth0#dns.example
FallbackDNS=192.0.2.8#dns.example
DNSOverTLS=yes
`,
    ['192.0.2.6', '192.0.2.7', '2001:db8::6', '192.0.2.8'],
  ],
  ['stubby', 'upstream_recursive_servers:\n  - address_data: 192.0.2.9\n    tls_port: 853\n', ['192.0.2.9']],
  [
    'BIND',
    `options {
  // forwarders { 192.0.2.99; };
  forwarders {
    192.0.2.10;
    192.0.2.11 port 853 tls dot;
  };
};`,
    ['192.0.2.10', '192.0.2.11'],
  ],
  ['nothing', 'server=$(reboot)\nnameserver\nDNS=\nforwarders {', []],
])('%s says whom it asks', (_program, text, servers) => {
  expect(parseNameServers(text)).toEqual(servers);
});

async function rootWith(texts: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'picket-dns-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

test('behind a forwarder on the gateway its own upstreams are found, each once, and no more than can be guarded', async () => {
  const root = await rootWith({
    '/etc/resolv.conf': 'nameserver 127.0.0.1\n',
    '/etc/dnsmasq.d/upstream.conf': 'resolv-file=/var/lib/upstreams\nserver=192.0.2.1\nresolv-file=relative/path\n',
    '/var/lib/upstreams': 'nameserver 192.0.2.1\nnameserver 192.0.2.2\n',
    '/etc/unbound/unbound.conf.d/forward.conf': 'forward-addr: 192.0.2.3@853\n',
  });
  expect(await readNameServers(root)).toEqual(['192.0.2.1', '192.0.2.3', '192.0.2.2']);
  const many = Array.from({ length: 60 }, (_, index) => `server=192.0.2.${index + 1}`).join('\n');
  expect(await readNameServers(await rootWith({ '/etc/dnsmasq.conf': many }))).toHaveLength(16);
  expect(await readNameServers(join(root, 'nothing-here'))).toEqual([]);
  const blockList = 'address=/ads.example/0.0.0.0\n'.repeat(10_000);
  const listed = {
    '/etc/dnsmasq.d/ads.conf': `${blockList}server=192.0.2.9\n`,
    '/etc/dnsmasq.conf': 'server=192.0.2.1\n',
  };
  expect(await readNameServers(await rootWith(listed)), 'a list of names to block is not gone through').toEqual([
    '192.0.2.1',
  ]);
});

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const sockets = `${header}
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1
   1: 0102000A:9C40 0A0200C0:0355 01 00000000:00000000 00:00000000 00000000   101        0 101 1
   2: 0102000A:0016 630200C0:0355 01 00000000:00000000 00:00000000 00000000     0        0 102 1
   3: 0102000A:9C41 0B0200C0:01BB 01 00000000:00000000 00:00000000 00000000     0        0 103 1
   4: 0102000A:9C42 0C0200C0:0355 06 00000000:00000000 00:00000000 00000000     0        0 0 3
   5: 0100007F:9C43 0100007F:0355 01 00000000:00000000 00:00000000 00000000     0        0 104 1
`;
const sockets6 = `${header}
   0: B80D0120000000000000000001000000:9C50 B80D0120000000000000000053000000:0355 01 00000000:00000000 00:00000000 00000000 0 0 1 1
`;

test('text of any kind is gone through once', () => {
  const hostile = [
    '\n'.repeat(100_000),
    ' '.repeat(100_000),
    `server=/${'a/'.repeat(50_000)}`,
    'forwarders {'.repeat(9000),
  ];
  using working = WorkingTime.start();
  for (const text of hostile) expect(parseNameServers(text)).toEqual([]);
  expect(working.ms).toBeLessThan(10_000);
}, 60_000);

test('resolvers over TLS are those that the gateway connected to, not who came to it from that port', async () => {
  expect(parseOpenResolvers(sockets)).toEqual(['192.0.2.10']);
  const root = await rootWith({ '/proc/net/tcp': sockets, '/proc/net/tcp6': sockets6 });
  expect(await readOpenResolvers(root)).toEqual(['192.0.2.10', '2001:db8::53']);
  expect(parseOpenResolvers('no table at all\n: : :\n 1: x:y z:0355 01')).toEqual([]);
});
