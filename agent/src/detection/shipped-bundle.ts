/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-5', import.meta.url));

export const shippedManifestSha256 = 'cbe2404fe7990be3fe8c99b156815c4f55d993a564f7baaf0f34253148b13484';
