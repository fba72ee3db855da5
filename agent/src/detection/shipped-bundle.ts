/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-3', import.meta.url));

export const shippedManifestSha256 = 'cca6c041c8ddb76c9264ca5a1d8910089105b4f209c837639dc8851ff5d0e6cb';
