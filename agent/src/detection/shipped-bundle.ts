/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-4', import.meta.url));

export const shippedManifestSha256 = '80c56b0e6c35a6d59d94ef7b5e7d3dc88929b9784afb71ec81291f9075978f4d';
