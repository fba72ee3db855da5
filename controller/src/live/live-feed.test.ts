import { expect, test } from 'vitest';
import type { LiveEvent } from '@picket/shared/contract/live-event';
import { LiveFeed } from './live-feed.ts';

const event = (n: number): LiveEvent => ({ type: 'alert_created', data: { n } });

test('a subscriber hears its own channel only, until it ends', () => {
  const feed = new LiveFeed();
  const heard: string[] = [];
  const end = feed.subscribe('alerts', (text) => {
    heard.push(text);
    return 'taken';
  });
  feed.publish('alerts', event(1));
  feed.publish('live', event(2));
  feed.publish('device:x', event(3));
  end();
  feed.publish('alerts', event(4));
  expect(heard.map((text) => JSON.parse(text) as LiveEvent)).toEqual([event(1)]);
  expect(feed.subscribers).toBe(0);
  expect(feed.counters).toEqual({ published: 4, dropped: 0 });
});

test('a slow subscriber is told how much it missed, and holds nobody up', () => {
  const feed = new LiveFeed();
  const [slow, quick]: [LiveEvent[], LiveEvent[]] = [[], []];
  let isFull = false;
  feed.subscribe('live', (text) => {
    if (isFull) return 'full';
    slow.push(JSON.parse(text) as LiveEvent);
    return 'taken';
  });
  feed.subscribe('live', (text) => {
    quick.push(JSON.parse(text) as LiveEvent);
    return 'taken';
  });
  feed.publish('live', event(1));
  isFull = true;
  for (const n of [2, 3, 4]) feed.publish('live', event(n));
  isFull = false;
  feed.publish('live', event(5));
  expect(slow).toEqual([event(1), { type: 'dropped', data: { events: 3 } }, event(5)]);
  expect(quick).toHaveLength(5);
  expect(feed.counters).toEqual({ published: 5, dropped: 3 });
});
