/**
 * What happened, to whoever watches now. Publishing never waits: each subscriber has a bounded queue, and what a slow
 * one misses is counted and told to it by a `dropped` event.
 */
import type { LiveEvent } from '@picket/shared/contract/live-event';

/** `live`: predictions and presence; `alerts`: alerts and decisions; `device:<id>`: all about one device. */
export type LiveChannel = 'live' | 'alerts' | `device:${string}`;

/** Takes an event and its JSON, or refuses it because the receiver is behind. */
export type LiveReceiver = (text: string, event: LiveEvent) => 'taken' | 'full';

interface Subscription {
  readonly receive: LiveReceiver;
  missed: number;
}

export class LiveFeed {
  readonly #subscriptions = new Map<LiveChannel, Set<Subscription>>();
  #published = 0;
  #dropped = 0;

  /** Events published and events that some receiver was too slow for, since the start. */
  get counters(): { readonly published: number; readonly dropped: number } {
    return { published: this.#published, dropped: this.#dropped };
  }

  get subscribers(): number {
    let count = 0;
    for (const subscriptions of this.#subscriptions.values()) count += subscriptions.size;
    return count;
  }

  publish(channel: LiveChannel, event: LiveEvent): void {
    this.#published += 1;
    const subscriptions = this.#subscriptions.get(channel);
    if (subscriptions === undefined) return;
    const text = JSON.stringify(event);
    for (const subscription of subscriptions) this.#offer(subscription, text, event);
  }

  /** Returns how to end it. */
  subscribe(channel: LiveChannel, receive: LiveReceiver): () => void {
    const subscription: Subscription = { receive, missed: 0 };
    const subscriptions = this.#subscriptions.get(channel) ?? new Set();
    this.#subscriptions.set(channel, subscriptions.add(subscription));
    return () => {
      subscriptions.delete(subscription);
      if (subscriptions.size === 0) this.#subscriptions.delete(channel);
    };
  }

  #offer(subscription: Subscription, text: string, event: LiveEvent): void {
    if (subscription.missed > 0) {
      const dropped: LiveEvent = { type: 'dropped', data: { events: subscription.missed } };
      if (subscription.receive(JSON.stringify(dropped), dropped) === 'taken') subscription.missed = 0;
    }
    if (subscription.missed === 0 && subscription.receive(text, event) === 'taken') return;
    subscription.missed += 1;
    this.#dropped += 1;
  }
}
