/**
 * What this gateway has accepted of its controller, on disk: the highest versions, so that an old document stays old
 * across restarts, the policy in force, so that it holds without a controller, the one that is being tried, so that
 * whoever dies over it finds what held before, and which decisions came from there, so that a snapshot can take them
 * back without touching the gateway's own. What has become of a policy is so whether the disk takes it or not: it counts
 * here at once, and is written as soon as there is room.
 */
import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import { AgentError } from '../errors.ts';

export type DesiredDocument = 'policy' | 'decisions';

/** Longer than the controller keeps asking: by then every decision of that time has ended. */
const unblockMemoryMs = 40 * 24 * 3_600_000;

const schema = `
  -- Versions rise per signing key: another controller begins anew.
  CREATE TABLE IF NOT EXISTS accepted (
    kid TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (kid, document)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policy (one INTEGER PRIMARY KEY CHECK (one = 1), jws TEXT NOT NULL);
  -- Applied, perhaps, and not confirmed: found at a start, it is undone.
  CREATE TABLE IF NOT EXISTS pending_policy (
    one INTEGER PRIMARY KEY CHECK (one = 1), kid TEXT NOT NULL, version INTEGER NOT NULL, jws TEXT NOT NULL
  );
  -- The latest version that was undone, so that it is not tried again by itself.
  CREATE TABLE IF NOT EXISTS rolled_back_policy (
    one INTEGER PRIMARY KEY CHECK (one = 1), kid TEXT NOT NULL, version INTEGER NOT NULL, reason TEXT NOT NULL
  );
  -- Unblocks that were done, with what was answered: one that comes again is answered, not done.
  CREATE TABLE IF NOT EXISTS unblock (id TEXT PRIMARY KEY, proof TEXT NOT NULL, done_at TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fleet_decision (id TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
`;

interface Tried {
  readonly kid: string;
  readonly version: number;
  readonly jws: string;
}

interface RolledBack {
  readonly kid: string;
  readonly version: number;
  readonly reason: string;
}

/** The policies that are remembered, one of a kind. */
interface Policies {
  /** Compact JWS. */
  readonly inForce: string | undefined;
  readonly pending: Tried | undefined;
  readonly rolledBack: RolledBack | undefined;
}

export class ReportedState implements Disposable {
  readonly #database: Database.Database;
  #policies: Policies;
  /** By key: versions of policies that the disk would not take. */
  readonly #unsavedVersions = new Map<string, number>();
  #unsaved = 0;

  private constructor(database: Database.Database) {
    this.#database = database;
    this.#policies = {
      inForce: database.prepare<[], { jws: string }>('SELECT jws FROM policy').get()?.jws,
      pending: database.prepare<[], Tried>('SELECT kid, version, jws FROM pending_policy').get(),
      rolledBack: database.prepare<[], RolledBack>('SELECT kid, version, reason FROM rolled_back_policy').get(),
    };
  }

  /** A file that cannot be read is moved aside: the controller's documents are then taken as new. Throws an AgentError. */
  static open(path: string, log: Pick<Logger, 'error'>): ReportedState {
    try {
      return new ReportedState(openDatabase(path));
    } catch (error) {
      const code = error instanceof Database.SqliteError ? error.code : '';
      if (!/^SQLITE_(?:CORRUPT|NOTADB)/.test(code))
        throw new AgentError('cannot-create', `cannot open ${path}: ${(error as Error).message}`, { cause: error });
    }
    log.error({ path }, 'what this gateway had accepted of its controller is unreadable; it begins anew');
    renameSync(path, `${path}.corrupt`);
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    return new ReportedState(openDatabase(path));
  }

  /** Highest version that was accepted under this key; 0 where there was none. */
  version(kid: string, document: DesiredDocument): number {
    const row = this.#database
      .prepare<[string, string], { version: number }>('SELECT version FROM accepted WHERE kid = ? AND document = ?')
      .get(kid, document);
    const unsaved = document === 'policy' ? this.#unsavedVersions.get(kid) : undefined;
    return Math.max(row?.version ?? 0, unsaved ?? 0);
  }

  /** Compact JWS of the policy in force. */
  policy(): string | undefined {
    return this.#policies.inForce;
  }

  /** Changes of the policy that are not on disk: who starts from there does not know of them. */
  get unsaved(): number {
    return this.#unsaved;
  }

  /** Writes what the disk would not take before; throws where it still does not. */
  save(): void {
    if (this.#unsaved > 0) this.#write(this.#policies);
  }

  /**
   * On the platter when this returns: a policy is about to be applied. The one in force stays beside it. Throws where it
   * cannot be written, for then nobody would undo it after a power cut.
   */
  begin(kid: string, version: number, jws: string): void {
    this.#write({ ...this.#policies, pending: { kid, version, jws } });
  }

  /** The policy that was being tried when the agent ended; undefined where there was none. */
  pending(): { readonly kid: string; readonly version: number } | undefined {
    return this.#policies.pending;
  }

  /** What was tried was put back and may be tried again. On the platter when this returns, or `unsaved`, as the next two. */
  abandon(): void {
    this.#keep({ ...this.#policies, pending: undefined });
  }

  /** What was tried was put back, and only a newer version will be tried. */
  rollBack(kid: string, version: number, reason: string): void {
    this.#unsavedVersions.set(kid, version);
    this.#keep({ ...this.#policies, pending: undefined, rolledBack: { kid, version, reason } });
  }

  /** The version that was undone since the policy in force was accepted. */
  rolledBack(): RolledBack | undefined {
    return this.#policies.rolledBack;
  }

  /** This policy is in force, nothing is being tried and nothing was undone. */
  acceptPolicy(kid: string, version: number, jws: string): void {
    this.#unsavedVersions.set(kid, version);
    this.#keep({ inForce: jws, pending: undefined, rolledBack: undefined });
  }

  /** On the platter when this returns. Decisions that have ended are forgotten along the way. */
  acceptDecisions(
    kid: string,
    version: number,
    change: {
      readonly added: readonly { readonly id: string; readonly expires_at: string }[];
      readonly removed: readonly string[];
    },
  ): void {
    this.#database.transaction(() => {
      this.#accept(kid, 'decisions', version);
      const add = this.#database.prepare('INSERT OR REPLACE INTO fleet_decision VALUES (?, ?)');
      for (const { id, expires_at } of change.added) add.run(id, expires_at);
      const remove = this.#database.prepare('DELETE FROM fleet_decision WHERE id = ?');
      for (const id of change.removed) remove.run(id);
      this.#database.prepare('DELETE FROM fleet_decision WHERE expires_at < ?').run(new Date().toISOString());
    })();
  }

  /** Ids of decisions in force that came from the controller. */
  fleetDecisions(): ReadonlySet<string> {
    const rows = this.#database.prepare<[], { id: string }>('SELECT id FROM fleet_decision').all();
    return new Set(rows.map((row) => row.id));
  }

  /** What was answered to this unblock; undefined where it was not done yet. */
  unblockProof(id: string): UnblockProof | undefined {
    const row = this.#database.prepare<[string], { proof: string }>('SELECT proof FROM unblock WHERE id = ?').get(id);
    return row === undefined ? undefined : (JSON.parse(row.proof) as UnblockProof);
  }

  /** On the platter when this returns. Those that the controller asks for no more are forgotten. */
  rememberUnblock(proof: UnblockProof): void {
    const oldest = new Date(Date.now() - unblockMemoryMs).toISOString();
    this.#database.transaction(() => {
      this.#database.prepare('DELETE FROM unblock WHERE done_at < ?').run(oldest);
      this.#database
        .prepare('INSERT OR REPLACE INTO unblock VALUES (?, ?, ?)')
        .run(proof.unblock_id, JSON.stringify(proof), new Date().toISOString());
    })();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #keep(policies: Policies): void {
    this.#policies = policies;
    this.#unsaved += 1;
    try {
      this.save();
    } catch {
      // it is counted, and `save` will tell why
    }
  }

  #write(policies: Policies): void {
    const { inForce, pending, rolledBack } = policies;
    const database = this.#database;
    database.transaction(() => {
      for (const [kid, version] of this.#unsavedVersions) this.#accept(kid, 'policy', version);
      database.exec('DELETE FROM policy; DELETE FROM pending_policy; DELETE FROM rolled_back_policy');
      if (inForce !== undefined) database.prepare('INSERT INTO policy VALUES (1, ?)').run(inForce);
      if (pending !== undefined)
        database
          .prepare('INSERT INTO pending_policy VALUES (1, ?, ?, ?)')
          .run(pending.kid, pending.version, pending.jws);
      if (rolledBack !== undefined)
        database
          .prepare('INSERT INTO rolled_back_policy VALUES (1, ?, ?, ?)')
          .run(rolledBack.kid, rolledBack.version, rolledBack.reason);
    })();
    this.#policies = policies;
    this.#unsavedVersions.clear();
    this.#unsaved = 0;
  }

  #accept(kid: string, document: DesiredDocument, version: number): void {
    this.#database
      .prepare(
        `INSERT INTO accepted VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET version = max(version, excluded.version)`,
      )
      .run(kid, document, version);
  }
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
