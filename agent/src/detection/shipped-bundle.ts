/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-3', import.meta.url));

export const shippedManifestSha256 = 'a6e428291e535c86848f30103f8479191d4e52c4d13208a5e2dcdf0eb78ef5a2';
