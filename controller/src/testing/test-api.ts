/** A controller with two enrolled gateways, and the few calls that tests of its API repeat. */
import type { Role } from '@picket/shared/contract/access';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import type { Controller } from '../controller.ts';
import { addGateway } from './enrolled-gateway.ts';
import { sampleBatch } from './sample-events.ts';
import { startTestController } from './test-controller.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers member by member
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: any };

export interface TestApi extends AsyncDisposable {
  readonly controller: Controller;
  readonly dataDir: string;
  /** As a person of this role; `path` below `/api/v1`. An object is sent as JSON. */
  call(role: Role, method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** Events of `edge-1`, recorded now. */
  ingest(channel: EventChannel, bodies: readonly EventBody[], gateway?: string): Promise<void>;
}

export async function startTestApi(databaseUrl: string | undefined): Promise<TestApi> {
  const test = await startTestController({ databaseUrl });
  const { controller } = test;
  await addGateway(controller.database, 'edge-1');
  await addGateway(controller.database, 'edge-2');
  await controller.fleet.twin.refreshAll(); // the first policy of each, so that tests can count what they cause
  const next = new Map<string, number>();
  const call: TestApi['call'] = async (role, method, path, body, headers = {}) => {
    const client = await test.as(role);
    const response = await client.fetch(`/api/v1${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    controller,
    dataDir: test.dataDir,
    call,
    get: (path) => call('viewer', 'GET', path),
    async ingest(channel, bodies, gateway = 'edge-1') {
      const key = `${gateway} ${channel}`;
      const from = next.get(key) ?? 1;
      next.set(key, from + bodies.length);
      const batch = sampleBatch(channel, bodies, from);
      const at = new Date().toISOString();
      await controller.history.ingestBatch(gateway as GatewayId, {
        ...batch,
        events: batch.events.map((event) => ({ ...event, at })),
      });
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}
