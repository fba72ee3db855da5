/** Enrolment tokens and certificates in the database. */
import type { Kysely } from 'kysely';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';
import type { EnrolmentTokensTable } from '../database/fleet-tables.ts';
import type { Tables } from '../database/tables.ts';

export interface NewGateway {
  readonly id: GatewayId;
  readonly at: string;
  readonly agentVersion: string;
  readonly protocol: number;
  /** JSON of the guard that a new gateway starts with. */
  readonly guard: string;
}

export interface NewCertificate {
  readonly serial: string;
  readonly gatewayId: GatewayId;
  readonly issuedAt: string;
  readonly notAfter: string;
}

/** What the door and the broker must know of a certificate before they serve it. */
export type CertificateStanding = 'good' | 'unknown' | 'revoked';

export class AuthorityRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Also forgets tokens that ended more than 30 days ago, so that the table is bounded by use. */
  async insertToken(token: EnrolmentTokensTable, forgetBefore: string): Promise<void> {
    await this.#database.writer.transaction().execute(async (transaction) => {
      await transaction.deleteFrom('enrolment_tokens').where('expires_at', '<', forgetBefore).execute();
      await transaction.insertInto('enrolment_tokens').values(token).execute();
    });
  }

  async findToken(secretHash: string): Promise<EnrolmentTokensTable | undefined> {
    return this.#database.reader
      .selectFrom('enrolment_tokens')
      .selectAll()
      .where('secret_hash', '=', secretHash)
      .executeTakeFirst();
  }

  /**
   * Takes the token and enrols the gateway in one step; of any number of callers with one token a single one gets true.
   * A gateway that is known is enrolled anew: its settings stay, its certificates of before are revoked.
   */
  async enrol(secretHash: string, gateway: NewGateway, certificate: NewCertificate): Promise<boolean> {
    try {
      await this.#database.writer.transaction().execute(async (transaction) => {
        const token = await transaction
          .updateTable('enrolment_tokens')
          .set({ used_at: gateway.at, used_by: gateway.id })
          .where('secret_hash', '=', secretHash)
          .where('used_at', 'is', null)
          .where('expires_at', '>', gateway.at)
          .where((where) => where.or([where('gateway_id', '=', gateway.id), where('gateway_id', 'is', null)]))
          .returning('gateway_id')
          .executeTakeFirst();
        if (token === undefined) throw new NotEnrolled();
        await insertGateway(transaction, gateway, token.gateway_id !== null);
        await transaction
          .updateTable('certificates')
          .set({ revoked_at: gateway.at })
          .where('gateway_id', '=', gateway.id)
          .where('revoked_at', 'is', null)
          .execute();
        await insertCertificate(transaction, certificate);
      });
      return true;
    } catch (error) {
      if (error instanceof NotEnrolled) return false;
      throw error;
    }
  }

  async isKnown(gateway: GatewayId): Promise<boolean> {
    const row = await this.#database.reader
      .selectFrom('gateways')
      .select('id')
      .where('id', '=', gateway)
      .executeTakeFirst();
    return row !== undefined;
  }

  async insertCertificate(certificate: NewCertificate): Promise<void> {
    await insertCertificate(this.#database.writer, certificate);
  }

  /** Forgets certificates that ended before this instant; revoked or not, they open nothing. */
  async forgetEndedCertificates(before: string): Promise<void> {
    await this.#database.writer.deleteFrom('certificates').where('not_after', '<', before).execute();
  }

  async standing(gateway: GatewayId, serial: string): Promise<CertificateStanding> {
    const row = await this.#database.reader
      .selectFrom('certificates')
      .innerJoin('gateways', 'gateways.id', 'certificates.gateway_id')
      .select(['certificates.revoked_at as certificate_revoked_at', 'gateways.revoked_at as gateway_revoked_at'])
      .where('certificates.serial', '=', serial)
      .where('certificates.gateway_id', '=', gateway)
      .executeTakeFirst();
    if (row === undefined) return 'unknown';
    return row.certificate_revoked_at === null && row.gateway_revoked_at === null ? 'good' : 'revoked';
  }

  /** Revokes the gateway and all its certificates. False where there is no such gateway in force. */
  async revokeGateway(gateway: GatewayId, at: string, by: string): Promise<boolean> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      const revoked = await transaction
        .updateTable('gateways')
        .set({ revoked_at: at, revoked_by: by, updated_at: at, online: 0, presence_changed_at: at })
        .where('id', '=', gateway)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      if (revoked.numUpdatedRows !== 1n) return false;
      await transaction
        .updateTable('certificates')
        .set({ revoked_at: at })
        .where('gateway_id', '=', gateway)
        .where('revoked_at', 'is', null)
        .execute();
      return true;
    });
  }

  async enrolledGateways(): Promise<ReadonlySet<string>> {
    const rows = await this.#database.reader
      .selectFrom('gateways')
      .select('id')
      .where('revoked_at', 'is', null)
      .execute();
    return new Set(rows.map((row) => row.id));
  }

  /** Serials of revoked certificates that have not ended by themselves. */
  async revokedSerials(now: string): Promise<readonly { serial: string; revokedAt: Date }[]> {
    const rows = await this.#database.reader
      .selectFrom('certificates')
      .select(['serial', 'revoked_at'])
      .where('revoked_at', 'is not', null)
      .where('not_after', '>', now)
      .execute();
    return rows.map((row) => ({ serial: row.serial, revokedAt: new Date(row.revoked_at ?? now) }));
  }
}

/** Rolls an enrolment back: the token stays as it was. */
class NotEnrolled extends Error {}

/** A name that is known already is taken over only where the token was made for it. */
async function insertGateway(transaction: Kysely<Tables>, gateway: NewGateway, mayReplace: boolean): Promise<void> {
  const fresh = {
    enrolled_at: gateway.at,
    updated_at: gateway.at,
    agent_version: gateway.agentVersion,
    protocol: gateway.protocol,
  };
  const inserted = await transaction
    .insertInto('gateways')
    .values({
      ...fresh,
      id: gateway.id,
      labels: '{}',
      mode: 'simulate',
      guard: gateway.guard,
      benign_sample: 0.01,
      online: 0,
      policy_version: 0,
      decisions_version: 0,
    })
    .onConflict((conflict) =>
      mayReplace
        ? conflict.column('id').doUpdateSet({ ...fresh, revoked_at: null, revoked_by: null })
        : conflict.column('id').doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) throw new NotEnrolled();
}

async function insertCertificate(database: Kysely<Tables>, certificate: NewCertificate): Promise<void> {
  await database
    .insertInto('certificates')
    .values({
      serial: certificate.serial,
      gateway_id: certificate.gatewayId,
      issued_at: certificate.issuedAt,
      not_after: certificate.notAfter,
      revoked_at: null,
    })
    .execute();
}
