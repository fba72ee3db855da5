import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Alert } from '@picket/shared/contract/alert';
import { newId, type AlertId } from '@picket/shared/contract/identifiers';
import type { StoredRule } from '@picket/shared/contract/stored-rule';
import { toAlert, toRow } from '../alerts/stored-alert.ts';
import { LiveFeed } from '../live/live-feed.ts';
import { sampleAlert, sampleInstant } from '../testing/sample-events.ts';
import { startTestApi } from '../testing/test-api.ts';
import { edge1 } from '../testing/test-history.ts';
import { RuleWebhooks } from './rule-webhooks.ts';
import { postJson } from './webhook-post.ts';

const never = new AbortController().signal;
vi.setConfig({ testTimeout: 240_000 });

/** A receiver that answers with these statuses in turn, the last one for good. */
async function receiver(...statuses: number[]): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(statuses.length > 1 ? statuses.shift()! : (statuses[0] ?? 204)).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, bodies };
}

test('a new alert of its class is posted to the address of a webhook rule, once, and again where it was resolved and came back; what a person opens again and others are not', async () => {
  await using api = await startTestApi(undefined);
  const { url, bodies } = await receiver(204);
  const rule = { name: 'tell us', action: 'webhook', classes: ['brute_force_ssh'], webhook_url: url };
  expect((await api.call('admin', 'POST', '/prevention/rules', rule)).status).toBe(201);
  const alert = sampleAlert();
  await api.ingest('alerts', [
    { kind: 'alert', body: sampleAlert({ id: newId() as AlertId, class: 'port_scan' }) },
    { kind: 'alert', body: alert },
  ]);
  await vi.waitFor(() => expect(bodies).toHaveLength(1), { timeout: 60_000 });
  await api.ingest('alerts', [{ kind: 'alert', body: { ...alert, revision: 1 } }]);
  const last = sampleAlert({ id: newId() as AlertId });
  await api.ingest('alerts', [{ kind: 'alert', body: last }]);
  await vi.waitFor(() => expect(bodies).toHaveLength(2), { timeout: 60_000 });
  await api.call('operator', 'POST', `/alerts/${alert.id}/resolve`);
  await api.ingest('alerts', [{ kind: 'alert', body: { ...alert, revision: 2, returns: 1 } }]);
  await vi.waitFor(() => expect(bodies).toHaveLength(3), { timeout: 60_000 });
  for (const status of ['resolved', 'active']) await api.call('operator', 'PATCH', `/alerts/${alert.id}`, { status });
  const afterwards = sampleAlert({ id: newId() as AlertId });
  await api.ingest('alerts', [{ kind: 'alert', body: afterwards }]);
  await vi.waitFor(() => expect(bodies).toHaveLength(4), { timeout: 60_000 });
  expect(bodies.map((body) => JSON.parse(body))).toMatchObject([
    { type: 'alert_created', rule: 'tell us', alert: { id: alert.id, attack_type: 'brute_force_ssh' } },
    { alert: { id: last.id } },
    { type: 'alert_reopened', rule: 'tell us', alert: { id: alert.id, status: 'active', returns: 1 } },
    { type: 'alert_created', alert: { id: afterwards.id } },
  ]);
});

test('what is plain from its flows reaches a webhook whose threshold its score does not reach; what is unsure does not', async () => {
  await using api = await startTestApi(undefined);
  const { url, bodies } = await receiver(204);
  const rule = { name: 'tell us', action: 'webhook', classes: ['ddos_flood'], threshold: 0.98, webhook_url: url };
  expect((await api.call('admin', 'POST', '/prevention/rules', rule)).status).toBe(201);
  const flood = (score: number, severity: 'medium' | 'critical', is_plain = false) =>
    sampleAlert({ id: newId() as AlertId, class: 'ddos_flood', peer: null, score, severity, is_plain });
  const unsure = [flood(0.6, 'medium'), flood(0.95, 'critical')];
  const plain = [flood(0.3, 'critical', true), flood(0.95, 'critical', true), flood(0.3, 'critical')];
  const sure = flood(0.99, 'critical');
  for (const body of [...unsure, ...plain, sure]) await api.ingest('alerts', [{ kind: 'alert', body }]);
  await vi.waitFor(() => expect(bodies).toHaveLength(4), { timeout: 60_000 });
  const posted = bodies.map((body) => JSON.parse(body).alert);
  expect(posted.map(({ id }) => id)).toEqual([...plain, sure].map(({ id }) => id));
  expect(posted.map(({ is_plain: isPlain }) => isPlain)).toEqual([true, true, false, false]);
});

test('an alert that grows over the threshold is posted once, whoever has it, and not where it was closed', async () => {
  await using api = await startTestApi(undefined);
  const { url, bodies } = await receiver(204);
  const rules = [
    { name: 'when sure', threshold: 0.9 },
    { name: 'always', classes: ['port_scan'] },
  ];
  for (const rule of rules)
    await api.call('admin', 'POST', '/prevention/rules', { ...rule, action: 'webhook', webhook_url: url });
  const inClass = (name: Alert['class']): Alert =>
    sampleAlert({ id: newId() as AlertId, class: name, score: 0.6, severity: 'medium' });
  const [open, acknowledged] = [inClass('brute_force_ssh'), inClass('web_sqli')];
  const [resolved, scan] = [inClass('slow_rate'), inClass('port_scan')];
  const alerts = [open, acknowledged, resolved, scan];
  for (const body of alerts) await api.ingest('alerts', [{ kind: 'alert', body }]);
  await api.call('operator', 'PATCH', `/alerts/${acknowledged.id}/acknowledge`);
  await api.call('operator', 'POST', `/alerts/${resolved.id}/resolve`);
  for (const [revision, score] of [0.6, 0.8, 0.92, 0.95, 0.95].entries()) {
    const grown = { score, severity: score < 0.9 ? 'high' : 'critical', is_plain: revision === 4 } as const;
    for (const body of alerts)
      await api.ingest('alerts', [{ kind: 'alert', body: { ...body, ...grown, revision, count: 3 + revision } }]);
  }
  const last = sampleAlert({ id: newId() as AlertId });
  await api.ingest('alerts', [{ kind: 'alert', body: last }]);
  await vi.waitFor(() => expect(bodies.at(-1)).toContain(last.id), { timeout: 60_000 });
  const posted = bodies
    .map((body) => JSON.parse(body))
    .map(({ type, rule, alert }) => [type, rule, alert.id, alert.score]);
  expect(posted).toEqual([
    ['alert_created', 'always', scan.id, 0.6],
    ['alert_updated', 'when sure', open.id, 0.92],
    ['alert_updated', 'when sure', acknowledged.id, 0.92],
    ['alert_updated', 'when sure', scan.id, 0.92],
    ['alert_created', 'when sure', last.id, 0.97],
  ]);
});

/** Webhooks on a feed of their own, with these rules. */
function startWebhooks(rules: readonly Partial<StoredRule>[]) {
  const feed = new LiveFeed();
  const warned: string[] = [];
  const any = { is_enabled: true, action: 'webhook', classes: [], gateway_id: null, device: null, device_type: null };
  const webhooks = RuleWebhooks.start({
    feed,
    rules: async () =>
      rules.map((rule, index) => ({ ...any, id: String(index), threshold: null, ...rule }) as StoredRule),
    deviceType: async () => undefined,
    log: { warn: (problem: unknown) => void warned.push(String(problem)) },
  });
  const publish = (type: 'alert_created' | 'alert_updated', changes: Partial<Alert>): void => {
    const at = sampleInstant(0);
    const alert = sampleAlert({ id: newId() as AlertId, score: 0.6, severity: 'medium', ...changes });
    const device = { id: newId(), name: 'a camera' };
    const data = toAlert(toRow(edge1, { alert, at, device }, { created_at: at, raised_at: at }));
    const before = type === 'alert_updated' ? { score: 0.5, severity: 'medium' as const, is_plain: false } : undefined;
    feed.publish('alerts', { type, data, ...(before === undefined ? {} : { before }) });
  };
  return { webhooks, publish, warned };
}

test('growth that no rule posts takes no place in the queue', async () => {
  const { url, bodies } = await receiver(204);
  for (const rules of [[], [{ name: 'when sure', threshold: 0.9, webhook_url: url }]]) {
    const { webhooks, publish, warned } = startWebhooks(rules);
    await using _closed = webhooks;
    for (let alert = 0; alert < 250; alert++) publish('alert_updated', {});
    publish('alert_created', { score: 0.97, severity: 'critical' });
    await vi.waitFor(() => expect(webhooks.counters.delivered).toBe(rules.length), { timeout: 60_000 });
    expect([webhooks.counters.failed, warned]).toEqual([0, []]);
  }
  expect(bodies.map((body) => JSON.parse(body).type)).toEqual(['alert_created']);
});

test('an address that does not answer holds up its own rule and no other', async () => {
  let asked = 0;
  const silent = createServer(() => (asked += 1));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { url, bodies } = await receiver(204);
  const { webhooks, publish } = startWebhooks([
    { name: 'silent', webhook_url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` },
    { name: 'heard', webhook_url: url },
  ]);
  await using _closed = webhooks;
  for (let alert = 0; alert < 50; alert++) publish('alert_created', {});
  await vi.waitFor(() => expect(bodies).toHaveLength(50), { timeout: 60_000 });
  // One of 50 posts to the silent one takes 27 s to be given up: they have not been waited for.
  expect(webhooks.counters.delivered).toBe(50);
  expect(webhooks.counters.failed).toBeLessThan(5);
  expect(asked).toBeLessThan(15);
});

test('only an admin sees the whole address of a webhook', async () => {
  await using api = await startTestApi(undefined);
  const rule = { name: 'tell us', action: 'webhook', webhook_url: 'https://hooks.example.com/services/secret' };
  const { body: made } = await api.call('admin', 'POST', '/prevention/rules', rule);
  expect(made.webhook_url).toBe(rule.webhook_url);
  const { body: list } = await api.get('/prevention/rules');
  const { body: one } = await api.call('operator', 'GET', `/prevention/rules/${made.id}`);
  for (const seen of [list.items.find((item: { id: string }) => item.id === made.id), one])
    expect(seen.webhook_url).toBe('https://hooks.example.com/…');
});

test('a webhook rule needs an address, and no other rule has one', async () => {
  await using api = await startTestApi(undefined);
  const rule = { name: 'tell us', action: 'webhook' };
  for (const refused of [
    rule,
    { ...rule, webhook_url: 'file:///etc/passwd' },
    { ...rule, action: 'block', webhook_url: 'https://example.com/' },
  ]) {
    const { status, body } = await api.call('admin', 'POST', '/prevention/rules', refused);
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('webhook_url');
  }
});

test('a post goes nowhere that only this host may reach, and says why', async () => {
  await expect(postJson('http://169.254.169.254/latest/meta-data', '{}', never)).rejects.toThrow(/link-local/);
  await expect(postJson('http://[fe80::1]/', '{}', never)).rejects.toThrow(/link-local/);
  const { url, bodies } = await receiver(302);
  expect(await postJson(url, '{}', never)).toBe(302);
  expect(bodies).toEqual(['{}']);
});
