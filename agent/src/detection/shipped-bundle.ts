/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-5', import.meta.url));

export const shippedManifestSha256 = '5cf2b544163b71624507528b9e37e3313d1a8579aaecf35af8801778f4824b82';
