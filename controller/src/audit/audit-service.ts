/**
 * Who did what, to what, from where. Each entry carries the hash of the one before, so that a removed or changed entry
 * shows; the tables refuse changes besides.
 */
import { createHash } from 'node:crypto';
import type { AuditRepository, StoredEntry } from './audit-repository.ts';

/** On whose behalf something is done. */
export interface Actor {
  /** User name; `gateway <id>` or `system` where no person asked. */
  readonly username: string;
  /** Null where nothing came over the network. */
  readonly address: string | null;
}

export interface AuditEvent {
  readonly actor: Actor;
  /** `noun.verb`, for example `rule.update`. */
  readonly what: string;
  /** Kind and id of what was touched: `rule 0192…`. */
  readonly onWhat: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Members whose values never reach the log, at any depth. */
const secretMember = /password|secret|token|private|hash/i;
const maxDocumentLength = 16_000;
const beforeTheFirst = '0'.repeat(64);
const verifyChunk = 500;

export class AuditService {
  readonly #entries: AuditRepository;
  readonly #now: () => Date;

  constructor(entries: AuditRepository, now: () => Date = () => new Date()) {
    this.#entries = entries;
    this.#now = now;
  }

  /**
   * Resolves once the entry is stored. It opens a transaction of its own: call it after the commit of the change it
   * tells of, never inside that transaction.
   */
  async record(event: AuditEvent): Promise<void> {
    await this.#entries.append((last) => {
      const entry = {
        sequence: (last?.sequence ?? 0) + 1,
        at: this.#now().toISOString(),
        who: printable(event.actor.username),
        what: event.what,
        on_what: printable(event.onWhat),
        before: document(event.before),
        after: document(event.after),
        address: event.actor.address,
        previous_hash: last?.hash ?? beforeTheFirst,
      };
      return { ...entry, hash: hashOf(entry) };
    });
  }

  /** Walks the whole chain; the sequence of the first entry that does not fit, or undefined where all do. */
  async verify(): Promise<{ entries: number; brokenAt: number | undefined }> {
    let previous = { sequence: 0, hash: beforeTheFirst };
    for (;;) {
      const entries = await this.#entries.after(previous.sequence, verifyChunk);
      for (const entry of entries) {
        const { hash, ...content } = entry;
        const follows = entry.sequence === previous.sequence + 1 && entry.previous_hash === previous.hash;
        if (!follows || hashOf(content) !== hash) return { entries: previous.sequence, brokenAt: entry.sequence };
        previous = entry;
      }
      if (entries.length < verifyChunk) return { entries: previous.sequence, brokenAt: undefined };
    }
  }
}

/** Over the values in a fixed order, each with its length, so that no two entries have the same text. */
function hashOf(entry: Omit<StoredEntry, 'hash'>): string {
  const { sequence, at, who, what, on_what, before, after, address, previous_hash } = entry;
  const text = JSON.stringify([sequence, at, who, what, on_what, before, after, address, previous_hash]);
  return createHash('sha256').update(text).digest('hex');
}

function document(value: unknown): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value, (key, member: unknown) =>
    secretMember.test(key) && member !== null ? '***' : member,
  );
  return text.length <= maxDocumentLength ? text : JSON.stringify({ cut: text.slice(0, maxDocumentLength) });
}

/** Control characters would let a name forge lines in whatever prints the log. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '�').slice(0, 500);
}
