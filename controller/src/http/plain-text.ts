/**
 * Texts as both databases keep them: PostgreSQL stores no NUL character and gateways' events with one are refused, so a
 * request with one is refused here, whatever feature it is for. An empty body counts as `{}`.
 */
import type { MiddlewareHandler } from 'hono';
import { InvalidInput } from '../errors.ts';
import type { RequestContext } from './request-context.ts';

export function requirePlainText(): MiddlewareHandler<RequestContext> {
  return async ({ req }, next) => {
    for (const [name, values] of Object.entries(req.queries())) {
      if (values.some((value) => value.includes('\0'))) throw refused(`#/query/${name}`, name);
    }
    const type = req.header('content-type')?.toLowerCase() ?? '';
    if (type.startsWith('application/json')) {
      const text = await req.text();
      // Clients send the type by habit where a body is optional; where it is not, the missing fields get named.
      if (text.trim() === '') req.bodyCache.text = Promise.resolve('{}') as never;
      // The escape is the only way for one to stand in JSON.
      if (text.includes(String.raw`\u0000`)) refuseIn(text);
    } else if (type !== '' && /%00|\0/.test(await req.text())) {
      throw refused('', 'body');
    }
    await next();
  };
}

function refuseIn(text: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return; // refused as malformed by the route
  }
  const open: { readonly value: unknown; readonly pointer: string }[] = [{ value: body, pointer: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, pointer } = next;
    if (typeof value === 'string' && value.includes('\0')) throw refused(pointer, pointer.slice(1) || 'body');
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      if (key.includes('\0')) throw refused(pointer, pointer.slice(1) || 'body');
      open.push({ value: member, pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` });
    }
  }
}

function refused(pointer: string, name: string): InvalidInput {
  const detail = 'holds a NUL character, which no text here may';
  return new InvalidInput(`${name}: ${detail}`, { fields: [{ pointer, detail }] });
}
