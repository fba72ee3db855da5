/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-6', import.meta.url));

export const shippedManifestSha256 = '7a75372219dcb57b76e9a116b8a854a636c9411ed635ecd4c13701b7d9827eb5';
