/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-6', import.meta.url));

export const shippedManifestSha256 = 'f481fab9ec758f191f053af922e2e036f38c79465f2ea75a148cfb51a3f9b07c';
