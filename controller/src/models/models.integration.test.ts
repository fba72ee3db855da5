/** Model bundles through the API and at the agents' door, on both databases. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compactVerify, importJWK } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundleTyp, BundleSignature, ModelManifest } from '@picket/shared/contract/model-manifest';
import { ModelDetail, StoredModel } from '@picket/shared/contract/stored-model';
import { Policy } from '@picket/shared/contract/twin';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { bundleFiles } from '@picket/shared/policy/check-bundle';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { TestDatabase } from '../../../.ci/both-databases.ts';
import { startTestApi, type Answer, type TestApi } from '../testing/test-api.ts';

const bundles = fileURLToPath(new URL('../../../models/bundles/', import.meta.url));
const shipped = join(bundles, readdirSync(bundles).at(-1)!);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The shipped bundle under another name, with changes. */
function bundleOf(
  version: string,
  changes: Readonly<Record<string, Buffer>> = {},
  manifestChanges: object = {},
): Record<string, string> {
  const manifest = ModelManifest.parse(JSON.parse(readFileSync(join(shipped, 'manifest.json'), 'utf8')));
  const files: Record<string, Buffer> = Object.fromEntries(
    bundleFiles(manifest).map((name) => [name, changes[name] ?? readFileSync(join(shipped, name))]),
  );
  const text = Buffer.from(
    JSON.stringify({
      ...manifest,
      version,
      files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])),
      ...manifestChanges,
    }),
  );
  return Object.fromEntries(
    Object.entries({ ...files, 'manifest.json': text }).map(([name, bytes]) => [name, bytes.toString('base64')]),
  );
}

describeOnBothDatabases('model bundles', (open) => {
  let place: TestDatabase;
  let api: TestApi;

  beforeEach(async () => {
    place = await open();
    api = await startTestApi(place.url);
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const upload = (files: Record<string, string>): Promise<Answer> => api.call('admin', 'POST', '/models', { files });

  async function policyOf(gateway: string): Promise<Policy> {
    const { policy_jws: jws } = await api.controller.database.reader
      .selectFrom('gateways')
      .select('policy_jws')
      .where('id', '=', gateway)
      .executeTakeFirstOrThrow();
    return Policy.parse(JSON.parse(Buffer.from(jws!.split('.')[1]!, 'base64url').toString('utf8')));
  }

  const bundleVersionOf = async (gateway: string): Promise<string | undefined> =>
    (await policyOf(gateway)).bundle?.version;

  test('an upload is verified, signed with the bundle key, and serves nowhere yet', async () => {
    const files = bundleOf('hall-1');
    const made = await upload(files);
    expect(made.status).toBe(201);
    const model = ModelDetail.parse(made.body);
    expect(model).toMatchObject({ version: 'hall-1', state: 'candidate', uploaded_by: 'admin', gateways: [] });
    expect(model.manifest_sha256).toBe(sha256(Buffer.from(files['manifest.json']!, 'base64')));
    expect(await bundleVersionOf('edge-1')).toBeUndefined();

    const jwk = JSON.parse(readFileSync(join(api.dataDir, 'authority', 'bundle-key.json'), 'utf8')) as { x: string };
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: jwk.x }, 'EdDSA');
    const { payload, protectedHeader } = await compactVerify(model.signature, key);
    expect(protectedHeader.typ).toBe(bundleTyp);
    const signed = BundleSignature.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    expect(signed).toMatchObject({ version: 'hall-1', manifest_sha256: model.manifest_sha256 });
    expect(readFileSync(join(api.dataDir, 'authority', 'signing-key.json'), 'utf8')).not.toContain(jwk.x);

    for (const name of ['detect.onnx', 'manifest.json'])
      expect(Buffer.from(await api.controller.fleet.models.file(model.manifest_sha256, name))).toEqual(
        Buffer.from(files[name]!, 'base64'),
      );
    await expect(api.controller.fleet.models.file(model.manifest_sha256, 'passwd')).rejects.toThrow(/no file passwd/);
    expect((await upload(files)).status).toBe(409);
  });

  test('what a gateway would refuse is refused here, by file and reason', async () => {
    const refusals: readonly [Record<string, string>, string, RegExp][] = [
      [{}, '/files/manifest.json', /missing/],
      [
        { ...bundleOf('x-1'), 'manifest.json': Buffer.from('{').toString('base64') },
        '/files/manifest.json',
        /not JSON/,
      ],
      [bundleOf('x-1', {}, { feature_schema_hash: '0'.repeat(64) }), '/files/manifest.json', /wrong-schema/],
      [{ ...bundleOf('x-1'), 'explain.onnx': 'AAAA' }, '/files/explain.onnx', /hash-mismatch/],
      [bundleOf('x-1', { 'train.onnx': Buffer.from('no graph') }), '/files/train.onnx', /unreadable-graph/],
    ];
    const foreign = readFileSync(join(shipped, 'detect.onnx'));
    foreign.write('Loop', foreign.indexOf('Conv'));
    for (const [files, pointer, reason] of [
      ...refusals,
      [bundleOf('x-1', { 'detect.onnx': foreign }), '/files/detect.onnx', /operator Loop.*foreign-operator/] as const,
    ]) {
      const answer = await upload(files);
      expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-input', errors: [{ pointer }] } });
      expect(answer.body.detail).toMatch(reason);
    }
    expect((await upload({ 'manifest.json': 'not base64!' })).status).toBe(422);
    expect((await api.get('/models')).body.items).toEqual([]);
  });

  test('is activated on one gateway, then on the fleet, and rolled back the same way', async () => {
    await upload(bundleOf('hall-1'));
    await upload(bundleOf('hall-2'));
    const canary = await api.call('admin', 'POST', '/models/hall-1/activate', { gateways: ['edge-1'] });
    expect(canary).toMatchObject({ status: 200, body: { state: 'candidate', gateways: ['edge-1'] } });
    expect([await bundleVersionOf('edge-1'), await bundleVersionOf('edge-2')]).toEqual(['hall-1', undefined]);

    expect((await api.call('admin', 'POST', '/models/hall-1/activate')).body.state).toBe('active');
    await api.call('admin', 'POST', '/models/hall-2/activate');
    expect([await bundleVersionOf('edge-1'), await bundleVersionOf('edge-2')]).toEqual(['hall-1', 'hall-2']);
    const { body } = await api.get('/models');
    expect(body.items.map((item: unknown) => StoredModel.parse(item).version).toSorted()).toEqual(['hall-1', 'hall-2']);
    expect((await api.call('admin', 'DELETE', '/models/hall-1')).status).toBe(409);

    await api.call('admin', 'POST', '/models/hall-1/rollback', { gateways: ['edge-1'] });
    expect(await bundleVersionOf('edge-1')).toBe('hall-2');
    await api.call('admin', 'POST', '/models/hall-2/rollback');
    expect([await bundleVersionOf('edge-1'), await bundleVersionOf('edge-2')]).toEqual(['hall-1', 'hall-1']);
    expect((await api.call('admin', 'POST', '/models/hall-2/rollback')).status).toBe(409);
    await api.call('admin', 'POST', '/models/hall-1/rollback');
    expect(await bundleVersionOf('edge-2')).toBeUndefined();
    expect((await api.call('admin', 'DELETE', '/models/hall-1')).status).toBe(204);
    expect((await api.get('/models/hall-1')).status).toBe(404);

    const audit = await api.controller.database.reader.selectFrom('audit_log').select('what').execute();
    expect(audit.map((entry) => entry.what).filter((what) => what.startsWith('model.'))).toEqual([
      'model.upload',
      'model.upload',
      'model.activate',
      'model.activate',
      'model.activate',
      'model.rollback',
      'model.rollback',
      'model.rollback',
      'model.delete',
    ]);
  });

  test('a version is named in the policy by its bytes, and each change is a new policy version', async () => {
    const made = await upload(bundleOf('hall-1'));
    const before = (await policyOf('edge-1')).version;
    await api.call('admin', 'POST', '/models/hall-1/activate');
    const policy = await policyOf('edge-1');
    expect(policy.bundle).toEqual({ version: 'hall-1', manifest_sha256: made.body.manifest_sha256 });
    expect(policy.version).toBe(before + 1);
    await api.call('admin', 'POST', '/models/hall-1/activate');
    expect((await policyOf('edge-1')).version, 'the same again changes nothing').toBe(before + 1);
  });

  test('unknown gateways and versions are refused, and whoever is no admin', async () => {
    await upload(bundleOf('hall-1'));
    const one = { gateways: ['edge-1', 'nowhere'] };
    expect((await api.call('admin', 'POST', '/models/hall-1/activate', one)).status).toBe(404);
    expect(await bundleVersionOf('edge-1')).toBeUndefined();
    expect((await api.call('admin', 'POST', '/models/hall-9/activate')).status).toBe(404);
    expect((await api.call('operator', 'POST', '/models/hall-1/activate')).status).toBe(403);
    expect((await api.call('operator', 'POST', '/models', { files: {} })).status).toBe(403);
    expect((await api.get('/models/hall-1')).body.manifest.version).toBe('hall-1');
  });

  test('what a gateway reports of its bundle stands in its twin', async () => {
    const reference = { version: 'hall-1', manifest_sha256: 'a'.repeat(64) };
    const own = { version: 'cnn-lstm-1', manifest_sha256: 'b'.repeat(64) };
    const rung = { version: 1, step: 'verified', detail: null } as const;
    const bundle = { active: own, desired: reference, step: 'refused', detail: 'it took 500 MiB of memory' } as const;
    await api.controller.fleet.gateways.takeReported(GatewayId.parse('edge-1'), {
      at: new Date().toISOString(),
      policy: rung,
      decisions: { ...rung, in_force: 0 },
      mode: 'simulate',
      model_version: own.version,
      bundle,
      threshold: 0.9,
    });
    expect((await api.get('/gateways/edge-1')).body.twin).toMatchObject({ model_version: 'cnn-lstm-1', bundle });
  });
});
