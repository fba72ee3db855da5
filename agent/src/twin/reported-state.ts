/**
 * What this gateway has accepted of its controller, on disk: the highest versions, so that an old document stays old
 * across restarts, the policy in force, so that it holds without a controller, the one that is being tried, so that
 * whoever dies over it finds what held before, and which decisions came from there, so that a snapshot can take them
 * back without touching the gateway's own. What has become of a policy is so whether the disk takes it or not: it counts
 * here at once, stands in a slot that has its room already, and is written as soon as there is room.
 */
import type Database from 'better-sqlite3';
import type { Logger } from 'pino';
import type { UnblockProof } from '@picket/shared/contract/unblock';
import { openDesiredDatabase } from './desired-database.ts';
import { OutcomeSlot, type Outcome } from './outcome-slot.ts';

export type DesiredDocument = 'policy' | 'decisions';

/** Longer than the controller keeps asking: by then every decision of that time has ended. */
const unblockMemoryMs = 40 * 24 * 3_600_000;

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
  readonly #slot: OutcomeSlot;
  #policies: Policies;
  /** By key: versions of policies that the database would not take. */
  readonly #unsavedVersions = new Map<string, number>();
  /** Changes of the policies that the database does not know. */
  #unwritten = 0;
  /** What it does not know stands in the slot. */
  #isInSlot = false;

  private constructor(database: Database.Database, slot: OutcomeSlot) {
    this.#database = database;
    this.#slot = slot;
    this.#policies = {
      inForce: database.prepare<[], { jws: string }>('SELECT jws FROM policy').get()?.jws,
      pending: database.prepare<[], Tried>('SELECT kid, version, jws FROM pending_policy').get(),
      rolledBack: database.prepare<[], RolledBack>('SELECT kid, version, reason FROM rolled_back_policy').get(),
    };
  }

  /** A file that cannot be read is moved aside: the controller's documents are then taken as new. Throws an AgentError. */
  static open(path: string, log: Pick<Logger, 'error'>): ReportedState {
    const slot = new OutcomeSlot(`${path}.outcome`);
    const state = openDesiredDatabase(path, log, (database) => new ReportedState(database, slot));
    state.#recall();
    return state;
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
    return this.#isInSlot ? 0 : this.#unwritten;
  }

  /** There is something for `save` to write; the next policy is not tried before. */
  get isBehind(): boolean {
    return this.#unwritten > 0;
  }

  /** Writes what the database would not take before; throws where it still does not. */
  save(): void {
    if (this.#unwritten > 0) this.#write(this.#policies);
  }

  /**
   * On the platter when this returns: a policy is about to be applied. The one in force stays beside it. Throws where it
   * cannot be written, for then nobody would undo it after a power cut.
   */
  begin(kid: string, version: number, jws: string): void {
    this.save();
    this.#slot.reserve();
    this.#write({ ...this.#policies, pending: { kid, version, jws } });
  }

  /** The policy that was being tried when the agent ended; undefined where there was none. */
  pending(): { readonly kid: string; readonly version: number } | undefined {
    return this.#policies.pending;
  }

  /** What was tried was put back and may be tried again. On the platter when this returns, or `unsaved`, as the next two. */
  abandon(): void {
    this.#keep({ ...this.#policies, pending: undefined }, { step: 'abandoned' });
  }

  /** What was tried was put back, and only a newer version will be tried. */
  rollBack(kid: string, version: number, reason: string): void {
    this.#unsavedVersions.set(kid, version);
    this.#keep(
      { ...this.#policies, pending: undefined, rolledBack: { kid, version, reason } },
      { step: 'rolled_back', reason },
    );
  }

  /** The version that was undone since the policy in force was accepted. */
  rolledBack(): RolledBack | undefined {
    return this.#policies.rolledBack;
  }

  /** This policy is in force, nothing is being tried and nothing was undone. */
  acceptPolicy(kid: string, version: number, jws: string): void {
    this.#unsavedVersions.set(kid, version);
    this.#keep({ inForce: jws, pending: undefined, rolledBack: undefined }, { step: 'accepted' });
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

  #keep(policies: Policies, outcome: Outcome['outcome']): void {
    const tried = this.#policies.pending;
    this.#policies = policies;
    this.#unwritten += 1;
    this.#isInSlot = false;
    try {
      return this.save();
    } catch {
      // it is counted, and `save` will tell why
    }
    if (tried === undefined) return;
    try {
      this.#slot.write({ kid: tried.kid, version: tried.version, outcome });
      this.#isInSlot = true;
    } catch {
      // then it is not on disk at all
    }
  }

  /** What came of the policy that was being tried, where the database had no room for it. */
  #recall(): void {
    const { pending: tried } = this.#policies;
    const noted = tried === undefined ? undefined : this.#slot.read();
    if (tried === undefined || noted?.kid !== tried.kid || noted.version !== tried.version) return;
    const { kid, version, jws } = tried;
    if (noted.outcome.step === 'accepted') this.acceptPolicy(kid, version, jws);
    else if (noted.outcome.step === 'abandoned') this.abandon();
    else this.rollBack(kid, version, noted.outcome.reason);
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
    this.#unwritten = 0;
    this.#isInSlot = false;
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
