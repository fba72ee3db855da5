/**
 * Which captures from elsewhere are learnt from and which are kept aside: whole device types, as the manifest in
 * `models/splits` names them, or by a hash of the type's name where it does not. Attacks are kept aside.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Dataset, Part } from './flow-rows.ts';

const DeviceTypes = z.array(z.string().min(1));

const SplitManifest = z.strictObject({
  format: z.literal(1),
  sources: z.array(
    z.strictObject({
      /** Of the dataset; captures of its device types are told from others by it. */
      name: z.string().min(1),
      /** Under which the data may be used, and whom to cite. */
      terms: z.string(),
      /** The names of their folders. */
      device_types: z.strictObject({ train: DeviceTypes, validation: DeviceTypes, test: DeviceTypes }),
    }),
  ),
});
export type SplitManifest = z.infer<typeof SplitManifest>;

/** The split that this repository trains and measures with. */
export const usualSplit: SplitManifest = SplitManifest.parse(
  JSON.parse(readFileSync(new URL('../../splits/captures.json', import.meta.url), 'utf8')),
);

export interface CaptureSplit {
  /** The dataset that a device type is of; undefined where the manifest does not name it. */
  readonly sourceOf: (deviceType: string) => string | undefined;
  readonly partOf: (source: string, deviceType: string) => Part;
}

/** For training. All of the sources in `leftOut` are kept aside, to see what a network makes of a source that it never met. */
export function splitForTraining(manifest: SplitManifest, leftOut: readonly string[] = []): CaptureSplit {
  return {
    sourceOf: (deviceType) => sourceOf(manifest, deviceType),
    partOf: (source, deviceType) => {
      if (leftOut.includes(source)) return 'test';
      const types = manifest.sources.find(({ name }) => name === source)?.device_types;
      const named = parts.find((part) => types?.[part].includes(deviceType));
      return named ?? partByName(deviceType);
    },
  };
}

/** @throws {Error} where nothing is of the source, or packed flows of it have a part of their own: then it would not be kept aside */
export function requireLeftOut({ sequences }: Pick<Dataset, 'sequences'>, source: string): void {
  const members = sequences.filter((sequence) => sequence.source === source);
  if (members.length === 0) throw new Error(`--leave-out ${source}: no capture is of a source of this name`);
  if (members.some(({ part }) => part !== 'test')) {
    throw new Error(
      `--leave-out ${source}: its packed flows say themselves which part they are: give its captures instead`,
    );
  }
}

/** For measuring: what training had is what its record says, and everything else is a test. */
export function splitOfRecord(
  manifest: SplitManifest,
  data: readonly { readonly source: string; readonly part: string; readonly groups: readonly string[] }[],
): CaptureSplit {
  return {
    sourceOf: (deviceType) => sourceOf(manifest, deviceType),
    partOf: (source, deviceType) => {
      const had = data.find((entry) => entry.source === source && entry.groups.includes(deviceType));
      return parts.find((part) => part === had?.part) ?? 'test';
    },
  };
}

/** For going on with a source that training did not have: that one as for training, everything else as its record says. */
export function splitForTuning(
  manifest: SplitManifest,
  data: Parameters<typeof splitOfRecord>[1],
  site: string,
): CaptureSplit {
  const [fresh, known] = [splitForTraining(manifest), splitOfRecord(manifest, data)];
  return {
    sourceOf: fresh.sourceOf,
    partOf: (source, deviceType) => (source === site ? fresh : known).partOf(source, deviceType),
  };
}

const parts = ['train', 'validation', 'test'] as const;
const trainShare = 0.45;
const validationShare = 0.15;

/** The same for everybody, whatever else there is. */
function partByName(deviceType: string): Part {
  const lot = createHash('sha256').update(deviceType).digest().readUInt32BE() / 2 ** 32;
  return lot < trainShare ? 'train' : lot < trainShare + validationShare ? 'validation' : 'test';
}

function sourceOf(manifest: SplitManifest, deviceType: string): string | undefined {
  return manifest.sources.find(({ device_types: types }) => parts.some((part) => types[part].includes(deviceType)))
    ?.name;
}
