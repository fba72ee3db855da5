import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { topics } from '@picket/shared/contract/topics';
import { mayPublish, mayReceive, maySubscribe, mosquittoAcl } from './topic-permissions.ts';

const id = GatewayId.parse('hall-1');
const other = GatewayId.parse('hall-2');
const gateway = { kind: 'gateway', id, serial: '01', notAfter: new Date(0) } as const;
const controller = { kind: 'controller' } as const;

test('a gateway speaks for itself, and keeps only its states at the broker', () => {
  expect(mayPublish(gateway, topics.up(id, 'alerts'), false)).toBe(true);
  expect(mayPublish(gateway, topics.up(id, 'presence'), true)).toBe(true);
  expect(mayPublish(gateway, topics.up(id, 'reported'), true)).toBe(true);
  expect(mayPublish(gateway, topics.up(id, 'alerts'), true)).toBe(false);
});

test.each([
  topics.up(other, 'alerts'),
  topics.down(id, 'policy'),
  topics.down(other, 'policy'),
  '$SYS/broker/load',
  `$share/g/${topics.up(id, 'alerts')}`,
  'picket/v1/hall-1/up',
  'picket/v1/hall-1/up/alerts/more',
  'picket/v1/hall-1/up/unknown',
  'picket/v1//up/alerts',
  'picket/v2/hall-1/up/alerts',
  '',
])('a gateway may not speak on %s', (topic) => {
  expect(mayPublish(gateway, topic, false)).toBe(false);
});

test.each([
  '#',
  '+/v1/hall-1/down/+',
  'picket/#',
  'picket/v1/+/down/+',
  'picket/v1/hall-1/#',
  'picket/v1/hall-1/up/+',
  '$SYS/#',
  `$share/g/${topics.downAll(id)}`,
  topics.downAll(other),
  topics.down(other, 'ack'),
])('a gateway may not hear %s', (filter) => {
  expect(maySubscribe(gateway, filter)).toBe(false);
});

test('a gateway hears what is meant for it', () => {
  expect(maySubscribe(gateway, topics.downAll(id))).toBe(true);
  expect(maySubscribe(gateway, topics.down(id, 'ack'))).toBe(true);
  expect(mayReceive(gateway, topics.down(id, 'policy'))).toBe(true);
  expect(mayReceive(gateway, topics.down(other, 'policy'))).toBe(false);
  expect(mayReceive(gateway, topics.up(id, 'presence'))).toBe(false);
});

test('the controller hears all gateways, tells each of them, and never speaks as one', () => {
  expect(maySubscribe(controller, topics.upAll)).toBe(true);
  expect(maySubscribe(controller, '#')).toBe(false);
  expect(maySubscribe(controller, `$share/c/${topics.upAll}`)).toBe(false);
  expect(mayPublish(controller, topics.down(other, 'policy'), true)).toBe(true);
  expect(mayPublish(controller, topics.down(other, 'ack'), true)).toBe(false);
  expect(mayPublish(controller, topics.up(id, 'alerts'), false)).toBe(false);
});

test('whatever the topic is, nothing throws and no gateway reaches past its own name', () => {
  const topic = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.constantFrom('picket', 'v1', 'hall-1', 'hall-2', 'up', 'down', 'alerts', 'ack', '+', '#', ''))
      .map((parts) => parts.join('/')),
  );
  fc.assert(
    fc.property(topic, fc.boolean(), (text, retain) => {
      if (mayPublish(gateway, text, retain)) expect(text.startsWith('picket/v1/hall-1/up/')).toBe(true);
      if (maySubscribe(gateway, text)) expect(text.startsWith('picket/v1/hall-1/down/')).toBe(true);
    }),
  );
});

test('the ACL that we ship for Mosquitto says the same', () => {
  const shipped = readFileSync(new URL('../../../deploy/mosquitto/picket.acl', import.meta.url), 'utf8');
  expect(shipped).toBe(mosquittoAcl());
});
