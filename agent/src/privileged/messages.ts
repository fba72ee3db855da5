/**
 * All that the process with the right to change the kernel can be asked for, and all it answers. There is no text for
 * nft in here, and no name of a table: what reaches the kernel is built from these values by the process itself.
 */
import { z } from 'zod';
import { Decision, DecisionAction, DecisionDirection, DecisionScope, Mode } from '@picket/shared/contract/decision';
import type { Guard } from '../enforcement/guard.ts';
import type { Restriction } from '../enforcement/restriction.ts';

/** Longest request in bytes; the reply may be longer, because it is us who made it. */
export const maxRequestBytes = 256 * 1024;
export const maxReplyBytes = 16 * 1024 * 1024;
export const maxDecisionsPerRequest = 500;
export const maxIdsPerRequest = 1000;
/** Addresses that MACs are known by: each MAC's own, and all of them together, which keeps a request far below its bound. */
export const maxAddressesPerMac = 64;
export const maxAddressesPerRequest = 1024;
/** Decisions that may be held. */
export const maxHeldDecisions = 20_000;

const address = z.string().min(2).max(50);
const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
const portNumber = z.int().min(1).max(65_535);

export const GuardMessage = z.strictObject({
  controllers: z
    .array(z.strictObject({ address, port: portNumber }))
    .max(64)
    .readonly(),
  dnsServers: z.array(address).max(64).readonly(),
  ntpServers: z.array(address).max(256).readonly(),
  adminPrefixes: z.array(address).max(256).readonly(),
  managementPorts: z.array(portNumber).max(64).readonly(),
  neverBlock: z.array(address).max(1024).readonly(),
  ownAddresses: z.array(address).max(1024).readonly(),
  ownMacs: z.array(mac).max(256).readonly(),
  defaultRoutes: z.array(address).max(64).readonly(),
  defaultRouteMacs: z.array(mac).max(64).readonly(),
  defaultRouteLinks: z.array(z.string().min(1).max(15)).max(64).readonly(),
  outsideLegs: z
    .array(z.strictObject({ mac, subnets: z.array(address).max(64).readonly() }))
    .max(64)
    .readonly(),
  broadcastAddresses: z.array(address).max(1024).readonly(),
}) satisfies z.ZodType<Guard>;

/** Why it was made, and on whose word, is nothing to this process. */
export const Asked = Decision.pick({
  id: true,
  action: true,
  scope: true,
  value: true,
  direction: true,
  mode: true,
  expires_at: true,
}) satisfies z.ZodType<Restriction>;

const request = { id: z.int().min(0) };
/** Milliseconds since 1970 by the clock that the decisions' ends go by. */
const now_ms = z.int().min(0).max(8_640_000_000_000_000);

export const Request = z.discriminatedUnion('op', [
  /** What becomes of the kernel when the agent ends unexpectedly. */
  z.strictObject({ op: z.literal('declare'), ...request, fail_policy: z.enum(['keep', 'open']) }),
  z.strictObject({ op: z.literal('add'), ...request, decisions: z.array(Asked).min(1).max(maxDecisionsPerRequest) }),
  z.strictObject({
    op: z.literal('remove'),
    ...request,
    ids: z.array(z.string().min(1).max(100)).min(1).max(maxIdsPerRequest),
  }),
  /** Forget all that was added; the kernel stays as it is until the next `hold`. */
  z.strictObject({ op: z.literal('reset'), ...request }),
  /** Make the kernel hold what was added, and nothing else of ours. */
  z.strictObject({
    op: z.literal('hold'),
    ...request,
    now_ms,
    guard: GuardMessage,
    /** Addresses that a MAC is known by. */
    addresses: z.record(mac, z.array(address).max(maxAddressesPerMac).readonly()),
  }),
  z.strictObject({ op: z.literal('read'), ...request, now_ms }),
  z.strictObject({ op: z.literal('clear'), ...request }),
]);
export type Request = z.infer<typeof Request>;

/** Thousands of decisions come at once: those that are plainly as the schema has them are not read and copied by it. */
export function readRequest(value: unknown): z.ZodSafeParseResult<Request> {
  return isPlainAdd(value) ? { success: true, data: value } : Request.safeParse(value);
}

function isPlainAdd(value: unknown): value is Extract<Request, { readonly op: 'add' }> {
  if (!hasKeys(value, ['op', 'id', 'decisions']) || value['op'] !== 'add') return false;
  const { id, decisions } = value;
  if (!Number.isSafeInteger(id) || (id as number) < 0 || !Array.isArray(decisions)) return false;
  return decisions.length >= 1 && decisions.length <= maxDecisionsPerRequest && decisions.every(isAsked);
}

/** No more than `Asked` takes. */
function isAsked(value: unknown): value is Restriction {
  return (
    hasKeys(value, askedKeys) &&
    isText(value['id'], uuid) &&
    isText(value['expires_at'], instant) &&
    typeof value['value'] === 'string' &&
    value['value'].length >= 1 &&
    value['value'].length <= 100 &&
    actions.has(value['action']) &&
    scopes.has(value['scope']) &&
    directions.has(value['direction']) &&
    modes.has(value['mode'])
  );
}

const askedKeys = Object.keys(Asked.shape);
const uuid = z.regexes.uuid();
const instant = z.regexes.datetime({});
const actions = new Set<unknown>(DecisionAction.options);
const scopes = new Set<unknown>(DecisionScope.options);
const directions = new Set<unknown>(DecisionDirection.options);
const modes = new Set<unknown>(Mode.options);

/** These and no others. */
function hasKeys(value: unknown, keys: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key));
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

export const Reading = z.strictObject({
  /**
   * Ids of decisions in the kernel: just those that were added, and how many they are; or all of them; or what differs
   * from the reading before.
   */
  decision_ids: z.union([
    z.strictObject({ added: z.int() }),
    z.strictObject({ all: z.array(z.string()) }),
    z.strictObject({ came: z.array(z.string()), went: z.array(z.string()), count: z.int() }),
  ]),
  packets_of: z.array(z.tuple([z.string(), z.number()])),
  packets_dropped: z.number(),
  packets_would_drop: z.number(),
  drift: z.string().nullable(),
  /** How often what listens to the kernel had to be started again. */
  monitor_restarts: z.int().min(0),
});
export type Reading = z.infer<typeof Reading>;

const codes = z.enum(['missing', 'not-permitted', 'refused', 'not-verified']);

/** What the helper says: where it can be asked for a capture, answers, and what happened by itself. */
export const Reply = z.union([
  z.strictObject({ re: z.int(), ok: z.literal(true), reading: Reading.optional() }),
  z.strictObject({ re: z.int().nullable(), ok: z.literal(false), code: codes, message: z.string() }),
  z.strictObject({ event: z.literal('welcome'), capture: z.strictObject({ path: z.string(), token: z.string() }) }),
  z.strictObject({ event: z.literal('changed') }),
  z.strictObject({ event: z.literal('stop'), signal: z.string() }),
  z.strictObject({ event: z.literal('warning'), text: z.string() }),
]);
export type Reply = z.infer<typeof Reply>;
