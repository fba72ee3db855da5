/** How long the history is kept: by age and by number of rows. Alerts and decisions are evidence and stay. */
import type { Logger } from 'pino';
import type { AgingTable, RetentionRepository } from './retention-repository.ts';

export interface Keep {
  readonly days: number;
  /** Oldest first out beyond this. */
  readonly rows: number;
}

export type Retention = Readonly<Record<AgingTable, Keep>>;

/** A flow takes about 600 bytes: these bounds keep a database below some 5 GB. */
export const defaultRetention: Retention = {
  flows: { days: 30, rows: 3_000_000 },
  flow_labels: { days: 30, rows: 3_000_000 },
  predictions: { days: 30, rows: 2_000_000 },
  minute_counters: { days: 400, rows: 5_000_000 },
  decision_events: { days: 400, rows: 1_000_000 },
  ingest_gaps: { days: 90, rows: 100_000 },
};

const dayMs = 86_400_000;
const everyMs = 3_600_000;

export class RetentionService implements AsyncDisposable {
  readonly #rows: RetentionRepository;
  readonly #retention: Retention;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #now: () => Date;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    rows: RetentionRepository,
    log: Pick<Logger, 'info' | 'error'>,
    retention: Retention = defaultRetention,
    now: () => Date = () => new Date(),
  ) {
    this.#rows = rows;
    this.#log = log;
    this.#retention = retention;
    this.#now = now;
  }

  /** Cleans up once an hour. */
  start(): this {
    this.#timer = setInterval(() => {
      this.#running = this.cleanUp().catch((error: unknown) => {
        this.#log.error({ err: error }, 'old history could not be deleted; the next attempt is in an hour');
      });
    }, everyMs);
    this.#timer.unref();
    return this;
  }

  /** Returns how many rows of each table went. Repeatable, and harmless on several controllers at once. */
  async cleanUp(): Promise<Partial<Record<AgingTable, number>>> {
    const gone: Partial<Record<AgingTable, number>> = {};
    for (const [table, keep] of Object.entries(this.#retention) as [AgingTable, Keep][]) {
      const deleted = await this.#cleanTable(table, keep);
      if (deleted > 0) gone[table] = deleted;
    }
    if (Object.keys(gone).length > 0) this.#log.info({ deleted: gone }, 'old history deleted');
    return gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  async #cleanTable(table: AgingTable, keep: Keep): Promise<number> {
    const byAge = new Date(this.#now().getTime() - keep.days * dayMs).toISOString();
    const bySize = await this.#rows.oldestKept(table, keep.rows);
    const cutoff = bySize !== undefined && bySize > byAge ? bySize : byAge;
    let total = 0;
    for (;;) {
      if (this.#stop.signal.aborted) return total;
      const { deleted, done } = await this.#rows.deleteSome(table, cutoff);
      total += deleted;
      if (done) return total;
    }
  }
}
