/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-3', import.meta.url));

export const shippedManifestSha256 = 'f14d96f6c738c96ba581d8be51f7072a4fc3e3263d25ad09e004a9883502d7b4';
