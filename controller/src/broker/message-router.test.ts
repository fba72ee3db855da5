import { beforeEach, expect, test } from 'vitest';
import { GatewayId, newId } from '@picket/shared/contract/identifiers';
import { topics } from '@picket/shared/contract/topics';
import { MessageRouter } from './message-router.ts';
import type { MessageHandlers } from './message-router.ts';

const hall = GatewayId.parse('hall-1');
const stranger = GatewayId.parse('stranger');
let taken: { readonly what: string; readonly gateway: string }[];
let strangers: string[];
let published: { readonly topic: string; readonly payload: string }[];
let warnings: string[];
let failure: Error | undefined;
let router: MessageRouter;

beforeEach(() => {
  [taken, strangers, published, warnings, failure] = [[], [], [], [], undefined];
  const take = (what: string) => async (gateway: GatewayId) => void taken.push({ what, gateway });
  const handlers: MessageHandlers = {
    isInForce: async (gateway) => gateway === hall,
    onStranger: (gateway) => strangers.push(gateway),
    events: async (gateway, batch) => {
      if (failure !== undefined) throw failure;
      taken.push({ what: 'events', gateway });
      return { epoch: batch.epoch, channel: batch.channel, upto: batch.events.at(-1)?.seq ?? 0 };
    },
    presence: take('presence'),
    reported: take('reported'),
    health: take('health'),
  };
  const publish = async (topic: string, payload: string) => void published.push({ topic, payload });
  const log = { warn: (_details: unknown, text: string) => void warnings.push(text) };
  router = new MessageRouter(handlers, publish, log as never);
});

const send = (topic: string, message: unknown): Promise<void> =>
  router.handle(topic, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));

const presence = { online: true, boot_id: newId(), at: new Date().toISOString(), agent_version: '1', protocol: 1 };
const batch = (events: object[] = [{ seq: 1 }, { seq: 2 }]) => ({
  protocol: 1,
  epoch: newId(),
  boot_id: newId(),
  channel: 'alerts',
  events,
});

test('a batch is acknowledged after it was kept, on the gateway’s own topic', async () => {
  const message = batch();
  await send(topics.up(hall, 'alerts'), message);
  expect(published).toEqual([
    {
      topic: topics.down(hall, 'ack'),
      payload: JSON.stringify({ epoch: message.epoch, channel: 'alerts', upto: 2 }),
    },
  ]);
});

test('a batch that could not be kept is not acknowledged', async () => {
  failure = new Error('the database is away');
  await send(topics.up(hall, 'alerts'), batch());
  expect(published).toEqual([]);
  expect(router.stats).toMatchObject({ received: 1, failed: 1, malformed: 0 });
});

test('one bad event does not hold back its batch: whoever stores it judges each', async () => {
  await send(topics.up(hall, 'alerts'), batch([{ seq: 1, nonsense: true }, { seq: 2 }]));
  expect(taken).toEqual([{ what: 'events', gateway: hall }]);
});

test('states go to their handlers', async () => {
  await send(topics.up(hall, 'presence'), presence);
  expect(taken).toEqual([{ what: 'presence', gateway: hall }]);
});

test.each<[string, string, unknown]>([
  ['a topic of nobody', 'picket/v1/hall-1/sideways/alerts', batch()],
  ['a topic of the other direction', topics.down(hall, 'ack'), batch()],
  ['no JSON', topics.up(hall, 'presence'), 'hello'],
  ['broken UTF-8 and NUL', topics.up(hall, 'presence'), '\u0000\uFFFD{'],
  ['another schema', topics.up(hall, 'presence'), { online: 'yes' }],
  ['an unknown member', topics.up(hall, 'presence'), { ...presence, surprise: 1 }],
  ['a batch on another channel', topics.up(hall, 'flows'), batch()],
  ['an empty batch', topics.up(hall, 'alerts'), batch([])],
  [
    'a batch of too many',
    topics.up(hall, 'alerts'),
    batch(Array.from({ length: 501 }, (_, seq) => ({ seq: seq + 1 }))),
  ],
  ['a message without end', topics.up(hall, 'presence'), 'x'.repeat(600_000)],
])('%s is counted and reaches no feature', async (_what, topic, message) => {
  await send(topic, message);
  expect(router.stats).toMatchObject({ received: 1, malformed: 1, failed: 0 });
  expect(taken).toEqual([]);
  expect(published).toEqual([]);
});

test('a gateway that is not ours is reported as a stranger and heard no further', async () => {
  await send(topics.up(stranger, 'presence'), presence);
  expect(strangers).toEqual([stranger]);
  expect(taken).toEqual([]);
});

test('a thousand bad messages are one line in the log', async () => {
  for (let count = 0; count < 1000; count += 1) await send(topics.up(hall, 'presence'), 'hello');
  expect(warnings).toHaveLength(1);
  expect(router.stats.malformed).toBe(1000);
});
