/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-7', import.meta.url));

export const shippedManifestSha256 = '1fe67a6b12cb51e2e8c8e19c943ce46551e327f0a8c9c8854901374e26d7ae82';
