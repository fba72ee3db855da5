/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-7', import.meta.url));

export const shippedManifestSha256 = 'b93a2f8693d6a209fa258e0c6f07e686001afea9d67036b4915b782f8c14eeaf';
