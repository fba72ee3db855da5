/**
 * Whom this gateway asks for names. Where a forwarder of its own (dnsmasq, unbound, systemd-resolved, BIND, stubby) stands
 * in between, resolv.conf names only that one: then it is in the forwarder's own configuration, or in a connection that
 * it keeps open for DNS over TLS. Nobody else on the network has a say in any of these.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import { parseAddress } from '@picket/shared/policy/decision-value';
import { readShortFile } from './read-short-file.ts';

/** What a resolver is told in; resolv.conf first, for where there are too many the first count. */
const files = [
  '/etc/resolv.conf',
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/no-stub-resolv.conf',
  '/run/dnsmasq/resolv.conf',
  '/run/resolvconf/resolv.conf',
  '/tmp/resolv.conf.d/resolv.conf.auto', // OpenWrt
  '/etc/systemd/resolved.conf',
  '/etc/dnsmasq.conf',
  '/etc/pihole/dnsmasq.conf',
  '/etc/unbound/unbound.conf',
  '/etc/stubby/stubby.yml',
  '/etc/bind/named.conf',
  '/etc/bind/named.conf.options',
];
const folders = [
  '/etc/systemd/resolved.conf.d',
  '/run/systemd/resolved.conf.d',
  '/etc/dnsmasq.d',
  '/etc/unbound/unbound.conf.d',
];
/** Each is a few rules that every packet from or to the gateway meets. */
const maxServers = 16;
const maxFilesOfFolder = 64;
/** Files that dnsmasq is told to look in. */
const maxNamedFiles = 4;
const dnsOverTls = 853;

/** Canonical addresses; none on loopback. What cannot be read teaches nothing. `root`: a folder to look in instead of `/`. */
export async function readNameServers(root = '/'): Promise<readonly string[]> {
  const inFolders = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder)).catch(() => []);
      return names.slice(0, maxFilesOfFolder).map((name) => join(folder, name));
    }),
  );
  const read = (path: string): Promise<string> => readShortFile(join(root, path));
  const texts = await Promise.all([...files, ...inFolders.flat()].map(read));
  const named = await Promise.all(texts.flatMap(parseNamedFiles).slice(0, maxNamedFiles).map(read));
  return [...new Set([...texts, ...named].flatMap(parseNameServers))].slice(0, maxServers);
}

/** Resolvers that this gateway is connected to for DNS over TLS just now. */
export async function readOpenResolvers(root = '/'): Promise<readonly string[]> {
  const texts = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(join(root, path), 'utf8').catch(() => '')),
  );
  return parseOpenResolvers(texts.join('\n')).slice(0, maxServers);
}

/**
 * `nameserver 192.0.2.1`, dnsmasq's `server=/lan/192.0.2.1#53`, `DNS=192.0.2.1:853#name` of systemd-resolved, unbound's
 * `forward-addr: 192.0.2.1@853#name`, `address_data: 192.0.2.1` of stubby, BIND's `forwarders { 192.0.2.1; };`.
 */
export function parseNameServers(text: string): readonly string[] {
  const lines = text.split('\n').flatMap((line) => {
    if (!told.test(line)) return [];
    const one =
      /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ??
      /^\s*server\s*=\s*(?:\/.*\/)?([^/\s]+)\s*$/.exec(line)?.[1] ??
      /^\s*(?:forward|stub)-addr:\s*"?([^\s"]+)/.exec(line)?.[1] ??
      /^\s*-?\s*address_data:\s*"?([^\s"]+)/.exec(line)?.[1];
    if (one !== undefined) return [one];
    return /^\s*(?:Fallback)?DNS\s*=\s*(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? [];
  });
  const forwarders = [...text.matchAll(/^[ \t]*forwarders\b[^{};]{0,40}\{([^}]{0,2000})\}/gm)].flatMap(
    ([, list = '']) => list.split(';').map((entry) => entry.trim().split(/\s+/)[0] ?? ''),
  );
  return [...lines, ...forwarders].flatMap(addressOf);
}

/** How lines begin that may name one. */
const told = /^[ \t-]*"?(?:nameserver|server|forward-addr|stub-addr|address_data|(?:Fallback)?DNS)\b/;

/** `resolv-file=` and `servers-file=` of dnsmasq, where they are whole paths. */
function parseNamedFiles(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*(?:resolv|servers)-file[ \t]*=[ \t]*(\/\S+)[ \t]*$/gm)].map(([, path = '']) => path);
}

/** Without port, zone and name: `[2001:db8::1]:853#dns.example`, `192.0.2.1@853`, `192.0.2.1#53`, `192.0.2.1%eth0`. */
function addressOf(written: string): readonly string[] {
  const [bare = ''] = written.split(/[#@%]/);
  const host = /^\[(.*)\](?::\d+)?$/.exec(bare)?.[1] ?? /^([\d.]+):\d+$/.exec(bare)?.[1] ?? bare;
  const address = parseAddress(host);
  if (!address.ok) return [];
  const range = ipaddr.parse(address.address).range();
  return range === 'loopback' || range === 'unspecified' ? [] : [address.address];
}

/**
 * In the text of /proc/net/tcp and tcp6: the far ends on port 853 of connections that this host opened. Who connects to
 * a port that listens here did that himself, from whatever port he likes.
 */
export function parseOpenResolvers(text: string): readonly string[] {
  const sockets = text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/);
    const [[, localPort], [address, remotePort]] = [local.split(':'), remote.split(':')];
    if (address === undefined || localPort === undefined || remotePort === undefined) return [];
    return [{ localPort, address, remotePort: Number.parseInt(remotePort, 16), state }];
  });
  const listening = new Set(sockets.filter(({ state }) => state === '0A').map(({ localPort }) => localPort));
  const far = sockets.filter(
    ({ state, remotePort, localPort }) => state === '01' && remotePort === dnsOverTls && !listening.has(localPort),
  );
  return [...new Set(far.flatMap(({ address }) => addressOf(addressOfHex(address))))];
}

/** Words of 32 bits, each as this machine keeps it: `0100007F`. Empty for what is none. */
function addressOfHex(hex: string): string {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return '';
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].toReversed());
  return ipaddr.fromByteArray(bytes).toString();
}
