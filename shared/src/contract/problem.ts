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

export const Problem = z
  .object({
    type: z.string().describe('`urn:picket:problem:` and the code.'),
    title: z.string().describe('The code in words.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('For people: what is wrong and what to do.'),
    code: ProblemCode.describe('Stable; for programs.'),
    request_id: z.string().describe("Names the request in the controller's log."),
    errors: z
      .array(
        z.object({
          pointer: z.string().describe('JSON pointer into the body, or `#/query/name`.'),
          detail: z.string().describe('What is wrong with it.'),
        }),
      )
      .optional()
      .describe('One entry per field that was refused.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
