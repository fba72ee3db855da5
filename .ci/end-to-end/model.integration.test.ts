/** A model bundle from an admin's upload to the network that judges on a gateway, and one that does harm. Real programs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enrol } from '../../agent/src/identity/enrol.ts';
import { createTestSigner, memoryBomb, writeTestBundle } from '../../agent/src/testing/bundle-builder.ts';
import { startTestController, type TestController } from '../../controller/src/testing/test-controller.ts';
import type { AlertDetail } from '../../shared/src/contract/stored-alert.ts';
import { GatewayId } from '../../shared/src/contract/identifiers.ts';
import { ModelManifest } from '../../shared/src/contract/model-manifest.ts';
import { StoredGateway } from '../../shared/src/contract/stored-gateway.ts';
import type { BundleReported } from '../../shared/src/contract/twin.ts';
import { RunningProgram, eventually } from '../../models/range/running-program.ts';

const agentMain = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const capture = fileURLToPath(new URL('../../agent/captures/demo.pcap', import.meta.url));
const hall = GatewayId.parse('hall-1');

let place: string;
let picket: TestController;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'picket-model-'));
  picket = await startTestController();
});
afterEach(async () => {
  await picket[Symbol.asyncDispose]();
  await rm(place, { recursive: true, force: true });
});

/** As `picketctl models upload`: the signature that lies in the folder is of nobody the fleet knows. */
async function upload(version: string, graphs: Readonly<Record<string, Buffer>> = {}): Promise<Response> {
  const folder = join(place, version);
  await writeTestBundle(folder, await createTestSigner(), { version, graphs, manifest: { threshold: 0.5 } });
  const manifest = await readFile(join(folder, 'manifest.json'));
  const files: Record<string, string> = { 'manifest.json': manifest.toString('base64') };
  for (const name of Object.keys(ModelManifest.parse(JSON.parse(manifest.toString('utf8'))).files))
    files[name] = (await readFile(join(folder, name))).toString('base64');
  return (await picket.as('admin')).send('POST', '/api/v1/models', { files });
}

async function bundleOfGateway(): Promise<BundleReported | null> {
  const answer = await (await picket.as('viewer')).get(`/api/v1/gateways/${hall}`);
  return StoredGateway.parse(await answer.json()).twin.bundle;
}

test(
  'an uploaded bundle is fetched, tried and served; a harmful one is refused and the one before serves on',
  { timeout: 900_000 },
  async () => {
    const { token } = await picket.controller.fleet.authority.createToken({
      gatewayId: hall,
      lifetimeSeconds: 60,
      createdBy: 'test',
    });
    const stateDir = join(place, 'agent');
    await enrol({ token, gatewayId: hall, stateDir, replace: false, controllerUrl: undefined, agentVersion: '0.1.0' });
    const config = join(place, 'agent.yaml');
    await writeFile(
      config,
      JSON.stringify({
        state_dir: stateDir,
        capture: { source: 'pcap', files: Array<string>(8).fill(capture), speed: 4 },
      }),
    );
    await using agent = RunningProgram.start([
      process.execPath,
      '--no-warnings',
      '--conditions=@picket/source',
      agentMain,
      'run',
      '--config',
      config,
    ]);
    await agent.untilPrinted(/watching/, 120_000);
    const own = await eventually(bundleOfGateway, (bundle) => bundle !== null, 120_000);
    expect(own).toMatchObject({ desired: null, step: 'verified' });

    expect((await upload('fleet-1')).status).toBe(201);
    const admin = await picket.as('admin');
    expect((await admin.send('POST', '/api/v1/models/fleet-1/activate')).status).toBe(200);
    const served = await eventually(
      bundleOfGateway,
      (bundle) => bundle?.step === 'verified' && bundle.desired !== null,
      120_000,
    );
    expect(served?.active).toEqual(served?.desired);
    expect(served?.active.version).toBe('fleet-1');

    expect((await upload('bomb-1', { 'detect.onnx': memoryBomb() })).status, 'nothing in the file gives it away').toBe(
      201,
    );
    await admin.send('POST', '/api/v1/models/bomb-1/activate', { gateways: [hall] });
    const refused = await eventually(bundleOfGateway, (bundle) => bundle?.step === 'refused', 120_000);
    expect(refused).toMatchObject({ active: { version: 'fleet-1' }, desired: { version: 'bomb-1' } });
    expect(refused?.detail).toMatch(/MiB of memory when it was tried/);
    expect(agent.exitCode).toBeNull();

    const alerts = await eventually(
      async () =>
        (await (await admin.get('/api/v1/alerts?limit=50')).json()) as {
          items: { id: string; model_version: string }[];
        },
      ({ items }) => items.some((item) => item.model_version === 'fleet-1'),
      180_000,
    );
    const alert = alerts.items.find((item) => item.model_version === 'fleet-1')!;
    const { explanation } = (await (await admin.get(`/api/v1/alerts/${alert.id}`)).json()) as AlertDetail;
    expect(explanation?.top_features, JSON.stringify(alert)).toHaveLength(10);
    expect(explanation?.flows.length).toBeGreaterThan(0);
    expect(explanation?.summary).toMatch(/^(?:one|\d[\d,]*) (?:new )?(?:TCP|UDP|ICMP|conversation)/);
  },
);
