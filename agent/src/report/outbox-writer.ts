/**
 * Gathers events into few commits on their way to the outbox. Alerts and decisions are committed at once, with all that
 * came before them; the rest waits a moment, for a commit per flow would cost more than the flow.
 */
import type { EventBody } from '@picket/shared/contract/envelope';
import type { Outbox } from './outbox.ts';

type Reported = Exclude<EventBody, { kind: 'gap' }>;

export interface OutboxWriterOptions {
  readonly outbox: Pick<Outbox, 'add'>;
  /** Something was committed. */
  readonly onCommitted: () => void;
  readonly maxDelayMs?: number;
}

const maxGathered = 500;

export class OutboxWriter implements Disposable {
  readonly #options: OutboxWriterOptions;
  #gathered: Reported[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isUrgent = false;

  constructor(options: OutboxWriterOptions) {
    this.#options = options;
  }

  /** Never throws and never waits; the outbox counts what the disk would not take. */
  add(events: readonly Reported[]): void {
    this.#gathered.push(...events);
    const urgent = events.some((event) => event.kind === 'alert' || event.kind === 'decision');
    if (this.#gathered.length >= maxGathered) this.flush();
    else if (urgent) this.#flushSoon();
    else this.#timer ??= setTimeout(() => this.flush(), this.#options.maxDelayMs ?? 200);
  }

  /** Before anything else happens, but once for all that is told in one breath: ten thousand decisions are few commits. */
  #flushSoon(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    queueMicrotask(() => this.flush());
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isUrgent = false;
    if (this.#gathered.length === 0) return;
    const events = this.#gathered;
    this.#gathered = [];
    this.#options.outbox.add(events);
    this.#options.onCommitted();
  }

  [Symbol.dispose](): void {
    this.flush();
  }
}
