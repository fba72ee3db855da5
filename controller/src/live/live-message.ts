/** An event and the channels it goes to: what a service returns from inside a transaction, to be told after its commit. */
import type { LiveEvent } from '@picket/shared/contract/live-event';
import type { LiveChannel, LiveFeed } from './live-feed.ts';

export interface LiveMessage {
  readonly channels: readonly LiveChannel[];
  readonly event: LiveEvent;
}

export function publishAll(feed: LiveFeed, messages: readonly LiveMessage[]): void {
  for (const { channels, event } of messages) for (const channel of channels) feed.publish(channel, event);
}
