/**
 * Model bundles for the fleet: taken in under the same rules that gateways hold, signed with the bundle key on an admin's
 * word, and named in the policies of the gateways that shall serve them. Gateways fetch them by hash.
 */
import { createHash } from 'node:crypto';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import {
  bundleTyp,
  ModelManifest,
  type BundleFile,
  type BundleReference,
  type BundleSignature,
} from '@picket/shared/contract/model-manifest';
import type { ModelDetail, ModelTarget, NewModel, StoredModel } from '@picket/shared/contract/stored-model';
import { BundleFault } from '@picket/shared/policy/bundle-fault';
import { bundleFiles, checkBundleFile, maxBundleBytes, readManifest } from '@picket/shared/policy/check-bundle';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { PolicyPublisher } from '../rules/policy-publisher.ts';
import type { ModelRepository, ModelRow } from './model-repository.ts';

export interface ModelServiceParts {
  readonly models: ModelRepository;
  /** Compact JWS by the bundle key. */
  readonly sign: (typ: string, document: object) => Promise<string>;
  readonly policies: Pick<PolicyPublisher, 'bundlesChanged'>;
  readonly audit: AuditService;
  readonly now?: () => Date;
}

/** Bundles that may be stored at once. */
const maxModels = 50;

export class ModelService {
  readonly #parts: ModelServiceParts;
  readonly #now: () => Date;

  constructor(parts: ModelServiceParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Newest first; there are 50 at most. */
  async list(): Promise<StoredModel[]> {
    const [rows, pins] = await Promise.all([this.#parts.models.list(), this.#parts.models.pins()]);
    return rows.map((row) => toStoredModel(row, pins));
  }

  /** Throws `NotFound`. */
  async get(version: string): Promise<ModelDetail> {
    const row = await this.#find(version);
    const [pins, card, signature] = await Promise.all([
      this.#parts.models.pins(),
      this.#parts.models.file(row.manifest_sha256, 'model-card.md'),
      this.#parts.models.file(row.manifest_sha256, 'signature.jws'),
    ]);
    return {
      ...toStoredModel(row, pins),
      manifest: ModelManifest.parse(JSON.parse(row.manifest)),
      card: card === undefined ? null : Buffer.from(card).toString('utf8'),
      signature: signature === undefined ? '' : Buffer.from(signature).toString('utf8'),
    };
  }

  /** Throws `InvalidInput` with the reason that a gateway would give, or `Conflict`. A candidate serves nowhere yet. */
  async upload({ files }: NewModel, actor: Actor): Promise<ModelDetail> {
    const { manifest, manifestBytes, contents } = readBundle(files);
    const reference = { version: manifest.version, manifest_sha256: sha256(manifestBytes) };
    const now = this.#now().toISOString();
    const signature = await this.#parts.sign(bundleTyp, { ...reference, signed_at: now } satisfies BundleSignature);
    const size = [...contents.values()].reduce((sum, bytes) => sum + bytes.length, manifestBytes.length);
    const outcome = await this.#parts.models.insert(
      {
        ...reference,
        manifest: JSON.stringify(manifest),
        size_bytes: size,
        uploaded_by: actor.username,
        uploaded_at: now,
        activated_at: null,
        is_active: 0,
        replaced: null,
      },
      new Map([...contents, ['manifest.json', manifestBytes], ['signature.jws', Buffer.from(signature)]]),
      maxModels,
    );
    if (outcome === 'taken')
      throw new Conflict(`there is a bundle ${manifest.version} already; give the new one another version`);
    if (outcome === 'full') throw new Conflict(`there are ${maxModels} bundles already; delete one first`);
    await this.#parts.audit.record({
      actor,
      what: 'model.upload',
      onWhat: `model ${manifest.version}`,
      after: { ...reference, size_bytes: size },
    });
    return this.get(manifest.version);
  }

  /**
   * From now on the fleet, or the gateways named, shall serve it. Each gateway fetches, verifies and tries it, and says in
   * its twin what came of it. Throws `NotFound`.
   */
  async activate(version: string, { gateways }: ModelTarget, actor: Actor): Promise<StoredModel> {
    const row = await this.#find(version);
    if (gateways === undefined) await this.#parts.models.activate(row.manifest_sha256, this.#now().toISOString());
    else if (!(await this.#parts.models.pin(gateways, row.manifest_sha256)))
      throw new NotFound('one of these gateways is not enrolled; none was changed');
    return this.#changed('model.activate', version, gateways, actor);
  }

  /**
   * The fleet goes back to what it served before this one; the gateways named, to what the fleet serves. Throws
   * `NotFound`, and `Conflict` where it is not served there.
   */
  async rollBack(version: string, { gateways }: ModelTarget, actor: Actor): Promise<StoredModel> {
    const row = await this.#find(version);
    if (gateways === undefined) {
      if (!(await this.#parts.models.rollBack(row.manifest_sha256, this.#now().toISOString())))
        throw new Conflict(`${version} is not the fleet's bundle`);
    } else if ((await this.#parts.models.unpin(gateways, row.manifest_sha256)).length === 0)
      throw new Conflict(`${version} was not activated on these gateways by name`);
    return this.#changed('model.rollback', version, gateways, actor);
  }

  /** Throws `NotFound`, and `Conflict` where it is wanted somewhere. */
  async delete(version: string, actor: Actor): Promise<void> {
    const row = await this.#find(version);
    if (!(await this.#parts.models.delete(row.manifest_sha256)))
      throw new Conflict(`${version} is wanted of gateways; roll it back first`);
    await this.#parts.audit.record({ actor, what: 'model.delete', onWhat: `model ${version}` });
  }

  /** For the policy; undefined: the gateway's own. */
  async wantedBy(gateway: GatewayId): Promise<BundleReference | undefined> {
    return this.#parts.models.wantedBy(gateway);
  }

  /** For the agents' door. Throws `NotFound`. */
  async file(manifestSha256: string, name: string): Promise<Uint8Array> {
    const bytes = await this.#parts.models.file(manifestSha256, name);
    if (bytes === undefined)
      throw new NotFound(`there is no file ${name} of a bundle with the manifest ${manifestSha256}`);
    return bytes;
  }

  async #changed(
    what: string,
    version: string,
    gateways: readonly GatewayId[] | undefined,
    actor: Actor,
  ): Promise<StoredModel> {
    await this.#parts.audit.record({
      actor,
      what,
      onWhat: `model ${version}`,
      after: { gateways: gateways ?? 'the fleet' },
    });
    await this.#parts.policies.bundlesChanged();
    const { manifest: _manifest, card: _card, signature: _signature, ...model } = await this.get(version);
    return model;
  }

  async #find(version: string): Promise<ModelRow> {
    const row = await this.#parts.models.find(version);
    if (row === undefined) throw new NotFound(`there is no model bundle ${version}`);
    return row;
  }
}

/** Throws `InvalidInput` that names the file. What else was sent along (a signature of somebody else) is left out. */
function readBundle(files: NewModel['files']): {
  readonly manifest: ModelManifest;
  readonly manifestBytes: Buffer;
  readonly contents: ReadonlyMap<BundleFile, Buffer>;
} {
  const bytesOf = (name: string): Buffer => {
    const text = files[name];
    if (text === undefined) throw refused(name, `${name} is missing`);
    return Buffer.from(text, 'base64');
  };
  const manifestBytes = bytesOf('manifest.json');
  const manifest = checked('manifest.json', () => readManifest(manifestBytes));
  const contents = new Map<BundleFile, Buffer>();
  let total = 0;
  for (const name of bundleFiles(manifest)) {
    const bytes = bytesOf(name);
    total += bytes.length;
    if (total > maxBundleBytes) throw refused(name, `the files have more than ${maxBundleBytes} bytes`);
    checked(name, () => checkBundleFile(manifest, name, bytes, sha256(bytes)));
    contents.set(name, bytes);
  }
  return { manifest, manifestBytes, contents };
}

function checked<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof BundleFault) throw refused(name, `${error.message} (${error.refusal})`);
    throw error;
  }
}

function refused(name: string, detail: string): InvalidInput {
  return new InvalidInput(detail, { fields: [{ pointer: `/files/${name}`, detail }] });
}

function toStoredModel(row: ModelRow, pins: readonly { gateway_id: string; manifest_sha256: string }[]): StoredModel {
  const { threshold, metrics } = ModelManifest.parse(JSON.parse(row.manifest));
  return {
    version: row.version,
    manifest_sha256: row.manifest_sha256,
    state: row.is_active === 1 ? 'active' : row.activated_at === null ? 'candidate' : 'retired',
    threshold,
    metrics,
    size_bytes: row.size_bytes,
    uploaded_by: row.uploaded_by,
    uploaded_at: row.uploaded_at,
    activated_at: row.activated_at,
    gateways: pins
      .filter((pin) => pin.manifest_sha256 === row.manifest_sha256)
      .map((pin) => pin.gateway_id as GatewayId),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
