/**
 * For how long devices and their peers have been known, on disk: to a network that is told that everybody is new, a habit
 * looks like an attack. Written every minute and at the end, whole or not at all; whoever cannot read it begins with
 * nobody known. Nothing waits for it.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DeviceRef } from '@picket/shared/contract/address';
import { mostPeers } from '@picket/shared/features/recent-flows';
import type { DeviceFamiliarity } from './window/device-familiarity.ts';
import type { DeviceWindows } from './window/device-windows.ts';

export interface FamiliarityKeeperOptions {
  /** JSON file, made when missing. */
  readonly path: string;
  /** What was known is given to these, and what they know is written. They have not seen a flow. */
  readonly windows: DeviceWindows;
  readonly log: Pick<Logger, 'warn'>;
  readonly everyMs?: number;
  /** Of the file. Devices that it does not hold, those that were heard longest ago, are new after a restart. */
  readonly maxBytes?: number;
}

/** To be raised where the numbers that stand for peers are made otherwise. */
const version = 1;
const everyMinuteMs = 60_000;
/** What 4096 devices with twenty peers each take: read at start it takes a dozen times as much memory for a moment. */
const mostBytes = 2 * 1_048_576;
/** So much text is made in one go, some two hundred devices: a few milliseconds. */
const chunkLength = 131_072;

const Milliseconds = z.int().nonnegative();
const StoredDevice = z
  .strictObject({
    ...DeviceRef.shape,
    known_ms: Milliseconds,
    /** Hashes of addresses; the one that was heard last comes last. */
    peers: z.array(z.int32()).max(mostPeers),
    peers_known_ms: z.array(Milliseconds),
  })
  .refine(({ peers, peers_known_ms: ages }) => peers.length === ages.length, 'as many ages as peers');
const Stored = z.strictObject({
  version: z.literal(version),
  /** The one that was heard last comes first. */
  devices: z.array(StoredDevice),
});

export class FamiliarityKeeper implements AsyncDisposable {
  readonly #options: FamiliarityKeeperOptions;
  readonly #maxBytes: number;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #told: string | undefined;

  private constructor(options: FamiliarityKeeperOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? mostBytes;
  }

  /** Never rejects: what cannot be read is told in the log, and written anew. */
  static async start(options: FamiliarityKeeperOptions): Promise<FamiliarityKeeper> {
    const { path, windows, log, everyMs = everyMinuteMs } = options;
    const keeper = new FamiliarityKeeper(options);
    try {
      windows.restore(await readFamiliarity(path, keeper.#maxBytes));
    } catch (error) {
      log.warn(`${path}: devices and peers that were known are new again: ${(error as Error).message}`);
    }
    keeper.#timer = setInterval(() => void keeper.save(), everyMs);
    return keeper;
  }

  /** Resolves when it is on disk, or the log was told why not. One at a time. */
  save(): Promise<void> {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Writes what is known by now. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.save();
  }

  async #save(): Promise<void> {
    const { path } = this.#options;
    const part = `${path}.part`;
    try {
      const isWhole = await this.#write(part);
      await rename(part, path);
      this.#tell(
        isWhole ? undefined : 'has no place for devices that were heard long ago: they are new after a restart',
      );
    } catch (error) {
      this.#tell(`who has been known for how long cannot be written down, a restart would know less: ${String(error)}`);
      await rm(part, { force: true }).catch(() => undefined); // what there is of it would keep room from others
    }
  }

  /** False: not every device had a place. */
  async #write(path: string): Promise<boolean> {
    await using file = await open(path, 'w', 0o600);
    const end = '\n]}\n';
    let text = `{"version":${version},"devices":[`;
    let bytesLeft = this.#maxBytes - text.length - end.length;
    let separator = '\n';
    for (const device of this.#options.windows.familiarity()) {
      const line = separator + JSON.stringify(storedOf(device));
      bytesLeft -= line.length;
      if (bytesLeft < 0) break;
      separator = ',\n';
      text += line;
      if (text.length < chunkLength) continue;
      await file.writeFile(text);
      text = '';
    }
    await file.writeFile(text + end);
    await file.datasync(); // a name that leads to nothing after a power cut would be worse than the file before
    return bytesLeft >= 0;
  }

  /** Once, until it is something else. */
  #tell(problem: string | undefined): void {
    const { path, log } = this.#options;
    if (problem !== undefined && problem !== this.#told) log.warn(`${path}: ${problem}`);
    this.#told = problem;
  }
}

/** The device that was heard last first; none where there is no file. Rejects where it is not what a keeper writes. */
async function readFamiliarity(path: string, maxBytes: number): Promise<readonly DeviceFamiliarity[]> {
  const text = await readShort(path, maxBytes);
  if (text === undefined) return [];
  const parsed = Stored.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw new Error(`${first?.path.join('.')}: ${first?.message}`);
  }
  return parsed.data.devices.map(({ address, mac, known_ms, peers, peers_known_ms }) => ({
    address,
    mac,
    deviceMs: known_ms,
    peers,
    peersMs: peers_known_ms,
  }));
}

async function readShort(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > maxBytes) throw new Error(`it has ${stat.size} bytes, and ${maxBytes} are the most`);
    return await file.readFile('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function storedOf({ address, mac, deviceMs, peers, peersMs }: DeviceFamiliarity): z.input<typeof StoredDevice> {
  return { address, mac, known_ms: deviceMs, peers: [...peers], peers_known_ms: [...peersMs] };
}
