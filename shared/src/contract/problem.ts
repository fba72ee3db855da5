/** RFC 9457 problem body, and every code the API may answer. */
import { z } from 'zod';

export const ProblemCode = z.enum([
  'bad-request',
  'unauthorized',
  'forbidden',
  'not-found',
  'method-not-allowed',
  'conflict',
  'precondition-failed',
  'precondition-required',
  'payload-too-large',
  'unsupported-media-type',
  'invalid-input',
  'misdirected-request',
  'too-many-requests',
  'unavailable',
  'internal',
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  /** For people: what is wrong and what to do. */
  detail: z.string(),
  code: ProblemCode,
  request_id: z.string(),
  /** One entry per field that was refused; `pointer` is a JSON pointer into the body, or `#/query/name`. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;
