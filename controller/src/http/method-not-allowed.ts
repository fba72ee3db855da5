/** Tells a wrong method (405, with those that would do) from a path where there is nothing (404). */
import type { NotFoundHandler } from 'hono';
import { MethodNotAllowed, NotFound } from '../errors.ts';
import { answerError } from './problem-details.ts';
import type { RequestContext } from './request-context.ts';
import type { Routes } from './route.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export function answerUnknown(app: Routes): NotFoundHandler<RequestContext> {
  return (context) => {
    const allowed = methods.filter((method) =>
      app.router.match(method, context.req.path)[0].some(([[, registered]]) => registered.method !== 'ALL'),
    );
    if (allowed.length === 0) return answerError(new NotFound(`there is nothing at ${context.req.path}`), context);
    context.header('allow', allowed.join(', '));
    return answerError(
      new MethodNotAllowed(`${context.req.method} is not offered at ${context.req.path}; ${allowed.join(', ')} is`),
      context,
    );
  };
}
