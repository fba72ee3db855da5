/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-1', import.meta.url));

export const shippedManifestSha256 = '2066f736c6abc281a48dc552be2aa742f1af301ec46274bba19414f7f02e5626';
