/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-5', import.meta.url));

export const shippedManifestSha256 = '2ea8fecaa0e9eac4e87c021f9b41fb0a34ee0c6210ddf233aa377bb204474641';
