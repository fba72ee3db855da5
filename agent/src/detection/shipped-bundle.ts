/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-1', import.meta.url));

export const shippedManifestSha256 = 'dfebe7704d57601e5b309cddf78f891065e71c28ea18f250356099f0fb89c623';
