/** Which ports and hosts a scan asks for, and how programs of our own are run. */
import { fileURLToPath } from 'node:url';
import { type Stage, exposed } from './episode.ts';

export const scanner = fileURLToPath(new URL('../programs/scanner.ts', import.meta.url));
export const runOwn = (program: string, ...rest: readonly string[]): string[] => [
  process.execPath,
  '--no-warnings',
  program,
  ...rest,
];

/** nmap and nping from a device: with its address, of all those that the namespace has. */
export const asDevice = ({ inside }: Stage): string[] => (inside === null ? [] : ['-S', inside.address, '-e', 'eth0']);

export const favourites = [
  21, 22, 23, 25, 53, 80, 81, 110, 139, 143, 443, 445, 502, 554, 1080, 1433, 1723, 1883, 2323, 3306, 3389, 5000, 5555,
  5900, 6379, 7547, 8000, 8080, 8081, 8443, 8883, 9000, 9200, 37215, 49152,
];

export function ports({ random }: Stage): string {
  const low = random.integer(1, 30_000);
  return random.pick([
    () => `1-${random.integer(60, 1500)}`,
    () => `${low}-${low + random.integer(30, 1000)}`,
    () => [...new Set(Array.from({ length: random.integer(2, 30) }, () => random.pick(favourites)))].join(','),
    () => [...new Set(Array.from({ length: random.integer(20, 200) }, () => random.integer(1, 32_000)))].join(','),
  ])();
}

export function targets(stage: Stage): string[] {
  const { random, site } = stage;
  const open = exposed(stage);
  if (stage.inside !== null)
    return random.next() < 0.5 ? [random.pick(open)] : open.slice(0, random.integer(1, open.length));
  if (site.isTranslated) return open;
  return random.pick([
    () => [random.pick(open)],
    () => [random.pick(open)],
    () => open.slice(0, random.integer(2, open.length)),
    () => [`${site.lan}.${random.pick([0, 64, 128])}/${random.integer(25, 28)}`],
  ])();
}
