/** What gateways, tokens and the log of decisions rely on in the database: the same on both engines, also in a race. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { GatewayId, newId } from '@picket/shared/contract/identifiers';
import type { DecisionId } from '@picket/shared/contract/identifiers';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { TestDatabase } from '../../../.ci/both-databases.ts';
import { AuthorityRepository } from '../authority/authority-repository.ts';
import { openDatabase } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { GatewayRepository } from '../gateways/gateway-repository.ts';
import { sampleDecision } from '../testing/sample-events.ts';
import { TwinRepository } from './twin-repository.ts';

const hall = GatewayId.parse('hall-1');
const guard = JSON.stringify({ admin_prefixes: [], management_ports: [22], never_block: [] });
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();

describeOnBothDatabases('the fleet’s tables', (open) => {
  let place: TestDatabase;
  let database: Database;
  let authority: AuthorityRepository;
  let gateways: GatewayRepository;
  let twin: TwinRepository;

  beforeEach(async () => {
    place = await open();
    database = await openDatabase({ url: place.url, file: place.file });
    await database.migrate();
    authority = new AuthorityRepository(database);
    gateways = new GatewayRepository(database);
    twin = new TwinRepository(database);
  });
  afterEach(async () => {
    await database[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function addToken(hash: string, gateway: GatewayId | null, expires = at(60)): Promise<void> {
    const row = { id: newId(), secret_hash: hash, gateway_id: gateway, created_by: 'test', created_at: at(0) };
    await authority.insertToken({ ...row, expires_at: expires, used_at: null, used_by: null }, at(-100));
  }

  const enrol = (hash: string, id: GatewayId, serial: string, now = at(1)): Promise<boolean> =>
    authority.enrol(
      hash,
      { id, at: now, agentVersion: '0.1.0', protocol: 1, guard },
      { serial, gatewayId: id, issuedAt: now, notAfter: at(3600) },
    );

  const enrolHall = async (): Promise<void> => {
    await addToken('first', null);
    expect(await enrol('first', hall, 'aa')).toBe(true);
  };

  test('of fifty who take one token at once, one gets it', async () => {
    await addToken('hash', null);
    const taken = await Promise.all(
      Array.from({ length: 50 }, (_, index) => enrol('hash', GatewayId.parse(`racer-${index}`), `0${index}`)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await gateways.enrolled()).toHaveLength(1);
  });

  test('an expired token, and one for another name, enrol nobody', async () => {
    await addToken('ended', null, at(1));
    await addToken('other', GatewayId.parse('cellar'));
    expect(await enrol('ended', hall, 'aa')).toBe(false);
    expect(await enrol('other', hall, 'ab')).toBe(false);
    expect(await authority.isKnown(hall)).toBe(false);
  });

  test('of two who want one new name at once, one gets it, and the other’s token stays good', async () => {
    await addToken('one', null);
    await addToken('two', null);
    const got = await Promise.all([enrol('one', hall, 'aa'), enrol('two', hall, 'bb')]);
    expect(got.filter(Boolean)).toHaveLength(1);
    const loser = got[0] ? 'two' : 'one';
    expect(await enrol(loser, GatewayId.parse('cellar'), 'cc')).toBe(true);
  });

  test('a known name is enrolled anew only by a token for it; its settings stay and its certificates end', async () => {
    await enrolHall();
    await gateways.update(hall, { mode: 'enforce' }, at(2), undefined);
    await addToken('free', null);
    expect(await enrol('free', hall, 'bb')).toBe(false);
    await addToken('named', hall);
    expect(await enrol('named', hall, 'cc', at(3))).toBe(true);
    expect(await authority.standing(hall, 'aa')).toBe('revoked');
    expect(await authority.standing(hall, 'cc')).toBe('good');
    expect((await gateways.find(hall))?.mode).toBe('enforce');
  });

  test('a revoked gateway is out: its certificates, its settings, its presence', async () => {
    await enrolHall();
    expect(await authority.revokeGateway(hall, at(2), 'admin')).toBe(true);
    expect(await authority.revokeGateway(hall, at(3), 'admin')).toBe(false);
    expect(await authority.standing(hall, 'aa')).toBe('revoked');
    expect((await authority.revokedSerials(at(4))).map((row) => row.serial)).toEqual(['aa']);
    expect(await authority.revokedSerials(at(4000))).toEqual([]);
    expect(await gateways.update(hall, { mode: 'enforce' }, at(5), undefined)).toBe(false);
    expect(await twin.append(hall, [{ op: 'delete', decision_id: newId() as DecisionId }], new Date())).toBeUndefined();
    expect(await gateways.list({ status: 'revoked' }, 10, 0, undefined)).toHaveLength(1);
  });

  test('a change that saw an older state is not made', async () => {
    await enrolHall();
    expect(await gateways.update(hall, { mode: 'observe' }, at(2), at(1))).toBe(true);
    expect(await gateways.update(hall, { mode: 'enforce' }, at(3), at(1))).toBe(false);
    expect((await gateways.find(hall))?.mode).toBe('observe');
  });

  test('presence: a late will of an old boot or of an old connection changes nothing', async () => {
    await enrolHall();
    const [old, boot] = [newId(), newId()];
    const say = (online: boolean, bootId: string, seconds: number): Promise<boolean> =>
      gateways.setPresence(hall, { online, bootId, at: at(seconds), agentVersion: '0.1.0', protocol: 1, now: at(100) });
    expect(await say(true, old, 10)).toBe(true);
    expect(await say(true, boot, 20)).toBe(true);
    expect(await say(false, old, 30)).toBe(false);
    expect(await say(false, boot, 15)).toBe(false);
    expect((await gateways.find(hall))?.online).toBe(1);
    expect(await say(false, boot, 20)).toBe(true);
    expect((await gateways.find(hall))?.online).toBe(0);
  });

  test('health is kept minute by minute, one day of it', async () => {
    await enrolHall();
    for (let minute = 0; minute < 1450; minute += 290)
      await gateways.setHealth(hall, JSON.stringify({ minute }), at(minute * 60));
    await gateways.setHealth(hall, JSON.stringify({ minute: 'last' }), at(1450 * 60 + 59));
    const kept = await gateways.healthHistory(hall, 5000);
    expect(kept.map((row) => JSON.parse(row.health) as unknown)).toEqual([
      { minute: 'last' },
      ...[1160, 870, 580, 290].map((minute) => ({ minute })),
    ]);
  });

  test('two controllers that sign one policy version: one wins', async () => {
    await enrolHall();
    const policy = { version: 1, hash: 'h', jws: 'a.b.c', issuedAt: at(1) };
    const saved = await Promise.all([1, 2, 3].map(() => twin.savePolicy(hall, policy)));
    expect(saved.filter(Boolean)).toHaveLength(1);
  });

  test('decisions that are appended at once get a version each, without holes, and none twice', async () => {
    await enrolHall();
    const now = new Date();
    const decisions = Array.from({ length: 30 }, () => decision(now, 600));
    const appended = await Promise.all(
      [...decisions, ...decisions].map((one) => twin.append(hall, [{ op: 'add', decision: one }], now)),
    );
    const versions = appended.flatMap((one) => (one === undefined ? [] : [one.version]));
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    const { version, steps } = await twin.log(hall, now.toISOString());
    expect({ version, steps: steps.length }).toEqual({ version: 30, steps: 30 });
  });

  test('steps whose decision has ended are forgotten; the version stays', async () => {
    await enrolHall();
    const now = new Date();
    await twin.append(hall, [{ op: 'add', decision: decision(now, 10) }], now);
    const later = new Date(now.getTime() + 60_000);
    await twin.append(hall, [{ op: 'add', decision: decision(later, 600) }], later);
    const { version, steps } = await twin.log(hall, later.toISOString());
    expect({ version, steps: steps.map((step) => step.version) }).toEqual({ version: 2, steps: [2] });
  });
});

function decision(now: Date, seconds: number): Decision {
  const expires = new Date(now.getTime() + seconds * 1000);
  return sampleDecision({ created_at: now.toISOString(), expires_at: expires.toISOString() });
}
