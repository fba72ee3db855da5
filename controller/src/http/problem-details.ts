/** The only place that knows status numbers: every refusal and failure as an RFC 9457 problem. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Problem, type ProblemCode } from '@picket/shared/contract/problem';
import { ControllerError, InvalidInput, NotFound, type FieldError } from '../errors.ts';
import type { RequestContext } from './request-context.ts';

const statusOf = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  conflict: 409,
  'precondition-failed': 412,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'misdirected-request': 421,
  'invalid-input': 422,
  'precondition-required': 428,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
} satisfies Record<ProblemCode, ContentfulStatusCode>;

const titleOf = {
  'bad-request': 'Bad request',
  unauthorized: 'Not signed in',
  forbidden: 'Not allowed',
  'not-found': 'Not found',
  'method-not-allowed': 'Method not allowed',
  conflict: 'Conflict',
  'precondition-failed': 'Precondition failed',
  'payload-too-large': 'Too large',
  'unsupported-media-type': 'Unsupported media type',
  'misdirected-request': 'Misdirected request',
  'invalid-input': 'Invalid input',
  'precondition-required': 'Precondition required',
  'too-many-requests': 'Too many requests',
  internal: 'Internal error',
  unavailable: 'Unavailable',
} satisfies Record<ProblemCode, string>;

const codeOfStatus = new Map(Object.entries(statusOf).map(([code, status]) => [status as number, code as ProblemCode]));

/** For the OpenAPI document: what these refusals look like, by status. */
export function refusals(codes: readonly ProblemCode[]) {
  return Object.fromEntries(codes.map((code) => [statusOf[code], problemAnswer(titleOf[code])]));
}

export function problemAnswer(description: string) {
  return { description, content: { 'application/problem+json': { schema: Problem } } };
}

/** Codes of an engine that is away, full or out of connections: not our fault, and worth another try. */
const unavailableCodes =
  /^(?:ECONNREFUSED|ECONNRESET|ENOSPC|EPIPE|ETIMEDOUT|SQLITE_BUSY.*|SQLITE_FULL|SQLITE_IOERR.*|SQLITE_READONLY.*|08...|53...|57...)$/;

export function problemOf(
  context: Context<RequestContext>,
  code: ProblemCode,
  detail: string,
  errors?: readonly FieldError[],
): Response {
  const problem: Problem = {
    type: `urn:picket:problem:${code}`,
    title: titleOf[code],
    status: statusOf[code],
    detail,
    code,
    request_id: context.var.requestId,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
  return context.json(problem, statusOf[code], {
    'content-type': 'application/problem+json',
    ...(code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
  });
}

/** For `app.onError`. What we did not foresee is logged in full and answered with nothing but the request's id. */
export function answerError(error: Error, context: Context<RequestContext>): Response {
  if (error instanceof ControllerError) {
    // The rest of the body was not read: whatever else comes on this connection is not a request.
    if (error.code === 'payload-too-large') context.header('connection', 'close');
    if (error.retryAfter !== undefined) context.header('retry-after', String(error.retryAfter));
    return problemOf(context, error.code, error.message, error.fields);
  }
  if (error instanceof HTTPException) {
    const code = codeOfStatus.get(error.status);
    if (code !== undefined && code !== 'internal') return problemOf(context, code, error.message || titleOf[code]);
  }
  const engineCode = (error as { code?: unknown }).code;
  if (typeof engineCode === 'string' && unavailableCodes.test(engineCode)) {
    context.var.log.error({ err: error, request_id: context.var.requestId }, 'the database did not answer');
    context.header('retry-after', '5');
    return problemOf(context, 'unavailable', 'the database does not answer at the moment; try again shortly');
  }
  context.var.log.error({ err: error, request_id: context.var.requestId }, 'a request failed');
  return problemOf(
    context,
    'internal',
    `something failed on our side; the log has it under request ${context.var.requestId}`,
  );
}

interface ValidationResult {
  readonly success: boolean;
  readonly target?: string;
  readonly error?: { readonly issues: readonly Issue[] };
}

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  /** Of `invalid_value`: what would do. */
  readonly values?: readonly unknown[];
  /** Of `invalid_union`: what each of its members said. */
  readonly errors?: readonly (readonly Issue[])[];
}

/** For zod-openapi's `defaultHook`: names each refused field. An id in the path that cannot exist is simply not found. */
export function refuseInvalid(result: ValidationResult): void {
  if (result.success) return;
  const issues = result.error?.issues ?? [];
  if (result.target === 'param') throw new NotFound('there is nothing with this id');
  const fields = issues.flatMap((issue) => fieldErrors(result.target ?? 'json', issue));
  const first = fields[0];
  throw new InvalidInput(
    first === undefined ? 'the request is not valid' : `${nameOf(first.pointer)}: ${first.detail}`,
    { fields },
  );
}

function fieldErrors(target: string, issue: Issue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      pointer: pointerTo(target, [...issue.path, key]),
      detail: 'unknown field',
    }));
  }
  return [{ pointer: pointerTo(target, issue.path), detail: reasonOf(issue) }];
}

/** A union's own message says nothing: what its members would have taken does. */
function reasonOf(issue: Issue): string {
  const members = issue.code === 'invalid_union' ? (issue.errors ?? []).flat() : [];
  if (members.length === 0) return issue.message;
  const values = members.flatMap((member) => (member.code === 'invalid_value' ? (member.values ?? []) : []));
  const others = members.flatMap((member) => {
    if (member.code === 'invalid_value') return [];
    return reasonOf(member).replace(/^Invalid input: /, '');
  });
  const oneOf = values.length === 0 ? [] : [`expected ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`];
  return [...new Set([...oneOf, ...others])].join(', or ');
}

function pointerTo(target: string, path: readonly PropertyKey[]): string {
  const steps = path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'));
  const root = target === 'json' || target === 'form' ? '' : `#/${target}`;
  return steps.length === 0 ? root || '' : `${root}/${steps.join('/')}`;
}

function nameOf(pointer: string): string {
  return pointer === '' ? 'body' : pointer.replace(/^#?\/(?:query\/|header\/|cookie\/)?/, '');
}
