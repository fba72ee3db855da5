/** Model bundles as the API takes and shows them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { GatewayId } from './identifiers.ts';
import { ModelManifest } from './model-manifest.ts';

export const ModelState = z
  .enum(['candidate', 'active', 'retired'])
  .describe("`candidate`: never the fleet's; `active`: the fleet's; `retired`: was the fleet's before another.");
export type ModelState = z.infer<typeof ModelState>;

export const StoredModel = z
  .object({
    version: ModelManifest.shape.version,
    manifest_sha256: z.string().describe('Names the bytes; what gateways fetch it by.'),
    state: ModelState,
    threshold: ModelManifest.shape.threshold,
    metrics: ModelManifest.shape.metrics,
    size_bytes: z.int().describe('All files.'),
    uploaded_by: z.string().describe('User name.'),
    uploaded_at: Instant,
    activated_at: Instant.nullable().describe('When it was last activated; null: never.'),
    gateways: z
      .array(GatewayId)
      .describe('Gateways that it was activated on by name, whatever the rest of the fleet serves.'),
  })
  .meta({ id: 'StoredModel' });
export type StoredModel = z.infer<typeof StoredModel>;

export const ModelDetail = StoredModel.extend({
  manifest: ModelManifest,
  card: z.string().nullable().describe('The model card, Markdown; null where the bundle has none.'),
  signature: z.string().describe("Compact JWS by the controller's bundle key."),
}).meta({ id: 'ModelDetail' });
export type ModelDetail = z.infer<typeof ModelDetail>;

/** A bundle's files by name, base64: `manifest.json` and every file that it names. */
export const NewModel = z
  .strictObject({
    files: z
      .record(z.string().max(100), z.base64())
      .describe('File name → contents, base64: manifest.json and every file that it names.'),
  })
  .meta({ id: 'NewModel' });
export type NewModel = z.infer<typeof NewModel>;

/** Which part of the fleet; left out: all of it. */
export const ModelTarget = z
  .strictObject({
    gateways: z.array(GatewayId).min(1).max(1000).optional().describe('Left out: the fleet.'),
  })
  .meta({ id: 'ModelTarget' });
export type ModelTarget = z.infer<typeof ModelTarget>;
