/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-6', import.meta.url));

export const shippedManifestSha256 = '703b36ad0219af19b6221814274526457469b5c8de38d2732b144642cf44d444';
