/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-0.1', import.meta.url));

export const shippedManifestSha256 = '87aa0eb17005255bbac5d8fcfc956f3c820fcb561bd99a244f23af6cb14dba4e';
