import { expect, test } from 'vitest';
import { GatewayId } from './identifiers.ts';
import { parseTopic, topics } from './topics.ts';

const gateway = GatewayId.parse('gw-1');

test('what is built can be read', () => {
  expect(parseTopic(topics.up(gateway, 'alerts'))).toEqual({ gateway, direction: 'up', channel: 'alerts' });
  expect(parseTopic(topics.down(gateway, 'ack'))).toEqual({ gateway, direction: 'down', channel: 'ack' });
});

test.each([
  '',
  'picket/v1',
  'picket/v2/gw-1/up/alerts',
  'picket/v1/GW/up/alerts',
  'picket/v1/+/up/alerts',
  'picket/v1/gw-1/up/ack',
  'picket/v1/gw-1/up/alerts/x',
  '$SYS/broker',
])('a foreign topic is not read: %s', (topic) => expect(parseTopic(topic)).toBeUndefined());
