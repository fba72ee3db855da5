/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-5', import.meta.url));

export const shippedManifestSha256 = '1431dfddda1567cccddccfe96578039ecbe91abba749b4c424fccac0085bbfb7';
