/** Log-in and what a signed-in person may do with their own session: `/api/v1/auth`. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { Credentials, TokenPair, User } from '@picket/shared/contract/access';
import { Forbidden, Unauthorized } from '../errors.ts';
import { principalOf, type RequestContext } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { Client, SessionService } from './session-service.ts';
import type { UserService } from './user-service.ts';

const PasswordForm = z.object({
  grant_type: z.literal('password').optional(),
  username: z.string().min(1).max(254),
  password: z.string().min(1).max(1024),
  scope: z.string().max(100).optional(),
});
const RefreshRequest = z.strictObject({ refresh_token: z.string().min(1).max(200).optional() });
const PasswordChange = z.strictObject({
  old_password: z.string().min(1).max(1024),
  new_password: z.string().min(1).max(1024),
});
const Message = z.object({ message: z.string() });
const Ticket = z.object({ ticket: z.string(), expires_in: z.int() });

/** Browsers keep the refresh token where scripts cannot read it. */
const refreshCookie = 'picket_refresh';

export function sessionRoutes(sessions: SessionService, users: UserService): Routes {
  const routes = createRoutes();
  const answer = (context: Context<RequestContext>, pair: TokenPair): TokenPair => {
    setCookie(context, refreshCookie, pair.refresh_token, {
      prefix: 'host',
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: sessions.refreshSeconds,
    });
    return pair;
  };

  routes.openapi(
    route({
      method: 'post',
      path: '/login',
      access: 'public',
      summary: 'Log in with user name or e-mail address',
      refuses: ['unauthorized'],
      request: { body: { content: { 'application/json': { schema: Credentials } } } },
      responses: { 200: json(TokenPair, 'Access and refresh token') },
    }),
    async (context) =>
      context.json(answer(context, await sessions.logIn(context.req.valid('json'), clientOf(context))), 200),
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/token',
      access: 'public',
      summary: 'Log in by the OAuth 2 password form',
      refuses: ['unauthorized'],
      request: { body: { content: { 'application/x-www-form-urlencoded': { schema: PasswordForm } } } },
      responses: { 200: json(TokenPair, 'Access and refresh token') },
    }),
    async (context) => {
      const { username, password } = context.req.valid('form');
      const credentials = username.includes('@') ? { email: username, password } : { username, password };
      return context.json(answer(context, await sessions.logIn(credentials, clientOf(context))), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/refresh',
      access: 'public',
      summary: 'Exchange a refresh token, from the body or the cookie, for a new pair',
      refuses: ['unauthorized', 'forbidden'],
      request: { body: { required: false, content: { 'application/json': { schema: RefreshRequest } } } },
      responses: { 200: json(TokenPair, 'A new pair; the old refresh token is used up') },
    }),
    async (context) => {
      const token = context.req.valid('json').refresh_token ?? refreshTokenFromCookie(context);
      if (token === undefined) throw new Unauthorized('give refresh_token');
      return context.json(answer(context, await sessions.refresh(token, clientOf(context))), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/logout',
      access: 'signed-in',
      summary: 'End this session',
      responses: { 200: json(Message, 'The session is over') },
    }),
    async (context) => {
      await sessions.logOut(principalOf(context), context.var.address);
      deleteCookie(context, refreshCookie, { prefix: 'host', secure: true, path: '/' });
      return context.json({ message: 'logged out' }, 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/me',
      access: 'signed-in',
      summary: 'Who I am',
      responses: { 200: json(User, 'The signed-in person') },
    }),
    async (context) => context.json(await users.get(principalOf(context).userId), 200),
  );

  routes.openapi(
    route({
      method: 'put',
      path: '/me/password',
      access: 'signed-in',
      summary: 'Change my password; my other sessions end',
      request: { body: { content: { 'application/json': { schema: PasswordChange } } } },
      responses: { 204: { description: 'Changed' } },
    }),
    async (context) => {
      const { old_password, new_password } = context.req.valid('json');
      await sessions.changePassword(principalOf(context), old_password, new_password, context.var.address);
      return context.body(null, 204);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/ws-ticket',
      access: 'signed-in',
      summary: 'A ticket that opens one live socket within 30 s',
      responses: { 200: json(Ticket, 'Give it as ?ticket=') },
    }),
    async (context) => context.json(await sessions.createTicket(principalOf(context)), 200),
  );

  return routes;
}

function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

function clientOf(context: Context<RequestContext>): Client {
  return { address: context.var.address, userAgent: context.req.header('user-agent') ?? '' };
}

/** A cookie is sent by the browser whoever asks it to: only our own pages may make it count. */
function refreshTokenFromCookie(context: Context<RequestContext>): string | undefined {
  const token = getCookie(context, refreshCookie, 'host');
  const origin = context.req.header('origin');
  if (token !== undefined && origin !== undefined && !isSameHost(origin, context.req.header('host'))) {
    throw new Forbidden('this page may not use the refresh cookie');
  }
  return token;
}

function isSameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
