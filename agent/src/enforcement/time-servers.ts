/** The time servers a gateway asks, out of what its time daemon was told: chrony, systemd-timesyncd, ntpd. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readShortFile } from './read-short-file.ts';

/** Where Debian's time daemons are told. */
const files = [
  '/etc/chrony/chrony.conf',
  '/etc/chrony.conf',
  '/etc/systemd/timesyncd.conf',
  '/etc/ntpsec/ntp.conf',
  '/etc/ntp.conf',
];
const folders = [
  '/etc/chrony/conf.d',
  '/etc/chrony/sources.d',
  '/run/chrony-dhcp',
  '/etc/systemd/timesyncd.conf.d',
  '/run/systemd/timesyncd.conf.d',
];
/** More than this is no list of time servers. */
const maxServers = 16;
const maxFilesOfFolder = 64;

/** Names and addresses, as they were written. What cannot be read teaches nothing. `root`: a folder to look in instead of `/`. */
export async function readTimeServers(root = '/'): Promise<readonly string[]> {
  const inFolders = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder)).catch(() => []);
      const told = names.filter((name) => /\.(?:conf|sources)$/.test(name));
      return told.slice(0, maxFilesOfFolder).map((name) => join(folder, name));
    }),
  );
  const texts = await Promise.all([...files, ...inFolders.flat()].map((file) => readShortFile(join(root, file))));
  return [...new Set(texts.flatMap(parseTimeServers))].slice(0, maxServers);
}

/** `server NAME …`, `pool NAME …`, `peer NAME …` of chrony and ntpd; `NTP=` and `FallbackNTP=` of timesyncd. */
export function parseTimeServers(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const source = /^\s*(?:server|pool|peer)\s+(?:-[46]\s+)?(\S+)/i.exec(line)?.[1];
    const listed = /^\s*(?:Fallback)?NTP\s*=\s*(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? [];
    return [...(source === undefined ? [] : [source]), ...listed].filter((name) =>
      /^[A-Za-z0-9.:_-]{1,253}$/.test(name),
    );
  });
}
