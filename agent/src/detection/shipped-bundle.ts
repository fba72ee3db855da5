/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-6', import.meta.url));

export const shippedManifestSha256 = '8b766291a6f2a787837a28a07c2d735778d20aaf778937fb244035c248a83ffd';
