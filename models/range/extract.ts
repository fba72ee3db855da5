/** Captures to packed, labelled flows: extracted by the agent itself, as it does live, with the truth beside each. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { decodeFlowPack, encodeFlowPack } from '../src/dataset/flow-pack.ts';
import type { FlowPackHeader } from '../src/dataset/flow-pack-header.ts';
import { CaptureLabels } from './labels.ts';
import { packFlows } from './pack-flows.ts';
import { describeSite, isPlanned } from './plan/describe-site.ts';

/** One line of `manifest.json`. */
export interface ManifestEntry extends Pick<
  FlowPackHeader,
  'name' | 'site' | 'seed' | 'part' | 'kind' | 'view' | 'rows' | 'dropped_rows' | 'capture_sha256'
> {
  readonly file: string;
  readonly hours: number;
  readonly pack_sha256: string;
  /** Runs by class and tool. */
  readonly episodes: Readonly<Record<string, number>>;
}

/**
 * Pack every labelled capture below `captures` into the same folder below `out`. What is packed already is left as it is.
 * @throws Error that names the capture where the agent cannot read it or it holds more than a pack can; those before it are
 *   packed by then, and not in the manifest.
 */
export async function extract(
  captures: string,
  out: string,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const found = (await readdir(captures, { recursive: true })).filter((name) => name.endsWith('.labels.json')).sort();
  if (found.length === 0) throw new Error(`${captures} holds no capture with a .labels.json beside it`);
  for (const labelsFile of found) {
    signal.throwIfAborted();
    const stem = join(captures, labelsFile.slice(0, -'.labels.json'.length));
    const pack = join(out, relative(captures, `${stem}.flows`));
    if (existsSync(pack)) continue;
    const labels = CaptureLabels.parse(JSON.parse(await readFile(`${stem}.labels.json`, 'utf8')));
    const flows = await packFlows(`${stem}.pcap`, labels, await sha256OfFile(`${stem}.pcap`), signal);
    const packed = encodeFlowPack(flows, `${stem}.pcap`);
    await mkdir(dirname(pack), { recursive: true });
    await writeFile(`${pack}.new`, packed); // one that is half written would be left as it is
    await rename(`${pack}.new`, pack);
    log(`${labels.name}: ${flows.header.rows} rows, ${flows.header.episodes.length} episodes`);
  }
  await writeManifest(out);
}

/** All packs below the folder, in the order of their paths; and what their sites are made of. */
export async function writeManifest(folder: string): Promise<void> {
  const packs = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.flows')).sort();
  const entries: ManifestEntry[] = [];
  for (const file of packs) {
    const bytes = await readFile(join(folder, file));
    const { header } = decodeFlowPack(bytes, join(folder, file));
    const episodes: Record<string, number> = {};
    for (const { class: label, tool } of header.episodes) {
      episodes[`${label} ${tool}`] = (episodes[`${label} ${tool}`] ?? 0) + 1;
    }
    const { name, site, seed, part, kind, view, rows, dropped_rows, capture_sha256 } = header;
    const hours = Number(((header.to_us - header.from_us) / 3.6e9).toFixed(4));
    const pack_sha256 = createHash('sha256').update(bytes).digest('hex');
    entries.push({
      file,
      name,
      site,
      seed,
      part,
      kind,
      view,
      hours,
      rows,
      dropped_rows,
      episodes,
      capture_sha256,
      pack_sha256,
    });
  }
  const lines = entries.map((entry) => ` ${JSON.stringify(entry)}`);
  await writeFile(join(folder, 'manifest.json'), `[\n${lines.join(',\n')}\n]\n`);
  const sites = [...new Set(entries.map(({ site }) => site))]
    .filter(isPlanned)
    .map((site) => ` ${JSON.stringify(describeSite(site))}`);
  await writeFile(join(folder, 'sites.json'), `[\n${sites.join(',\n')}\n]\n`);
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
