/** Model bundles as the API takes and shows them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId } from './identifiers.ts';
import { ModelManifest } from './model-manifest.ts';

/** `candidate`: never the fleet's; `active`: the fleet's; `retired`: was the fleet's before another. */
export const ModelState = z.enum(['candidate', 'active', 'retired']);
export type ModelState = z.infer<typeof ModelState>;

export const StoredModel = z.object({
  version: ModelManifest.shape.version,
  /** Names the bytes; what gateways fetch it by. */
  manifest_sha256: z.string(),
  state: ModelState,
  threshold: ModelManifest.shape.threshold,
  metrics: ModelManifest.shape.metrics,
  size_bytes: z.int(),
  uploaded_by: z.string(),
  uploaded_at: Instant,
  activated_at: Instant.nullable(),
  /** Gateways that it was activated on by name, whatever the rest of the fleet serves. */
  gateways: z.array(GatewayId),
});
export type StoredModel = z.infer<typeof StoredModel>;

export const ModelDetail = StoredModel.extend({
  manifest: ModelManifest,
  /** The model card, Markdown; null where the bundle has none. */
  card: z.string().nullable(),
  /** Compact JWS by the controller's bundle key. */
  signature: z.string(),
});
export type ModelDetail = z.infer<typeof ModelDetail>;

/** A bundle's files by name, base64: `manifest.json` and every file that it names. */
export const NewModel = z.strictObject({
  files: z.record(z.string().max(100), z.base64()),
});
export type NewModel = z.infer<typeof NewModel>;

/** Which part of the fleet; left out: all of it. */
export const ModelTarget = z.strictObject({ gateways: z.array(GatewayId).min(1).max(1000).optional() });
export type ModelTarget = z.infer<typeof ModelTarget>;
