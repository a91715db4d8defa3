import { initTRPC, type TRPCError } from '@trpc/server';
import type { Actor } from '@virtual-tutor/schemas';
import { protocolVersion, type Role, SessionId } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { CommandContext } from '../app/handle.ts';
import type { Caller, Context } from './context.ts';
import { failure, failWith, wireError } from './failure.ts';

/** Who may call a procedure. Each one declares it: a test over the router fails the build for one that does not. */
export type Policy =
  | { readonly plane: 'public' }
  | { readonly plane: 'loopback' }
  | { readonly plane: 'control'; readonly roles: readonly Role[] }
  | { readonly plane: 'data' }
  /** A session's own student, or a role of the control plane. */
  | { readonly plane: 'either'; readonly roles: readonly Role[] };

export interface Meta {
  readonly policy: Policy;
}

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    // Never a stack trace, whatever NODE_ENV says.
    isDev: false,
    sse: { ping: { enabled: true, intervalMs: 10_000 }, client: { reconnectAfterInactivityMs: 30_000 } },
    errorFormatter({ shape, error, ctx }) {
      const tutor = wireError(error as TRPCError, ctx?.requestId ?? 'none');
      return { code: shape.code, message: tutor.message, data: { code: shape.data.code, httpStatus: shape.data.httpStatus, tutor } };
    },
  });

export const router = t.router;

const limited = t.procedure.use(async ({ ctx, path, next }) => {
  if (ctx.outdated) throw failWith('upgrade_required', `this engine speaks protocol ${protocolVersion}: update @virtual-tutor/sdk`);
  const over = await ctx.app.limits.spend(spenderOf(ctx), path);
  if (over !== null) throw failure(over);
  return next();
});

function spenderOf({ caller, address }: Context): { readonly kind: 'key' | 'token' | 'address'; readonly id: string } {
  switch (caller.kind) {
    case 'anonymous':
      return { kind: 'address', id: address };
    case 'console':
      return { kind: 'key', id: `console:${caller.tenantId}` };
    case 'key':
      return { kind: 'key', id: caller.keyId };
    case 'student':
      return { kind: 'token', id: `${caller.tenantId}:${caller.scope === 'user' ? caller.studentId : caller.sessionId}` };
  }
}

type ControlCaller = Extract<Caller, { kind: 'key' | 'console' }>;
type StudentCaller = Extract<Caller, { kind: 'student' }>;

function turnAway(caller: Caller): TRPCError {
  if (caller.kind !== 'anonymous') return failWith('forbidden', 'this credential may not do that');
  return caller.reason === 'none'
    ? failWith('unauthorized', 'send a credential: an API key or an engine token as Bearer, or connectionParams.token on a socket')
    : failWith('unauthorized', 'this credential is not valid, or no longer: get a new one');
}

function mayControl(caller: Caller, roles: readonly Role[]): caller is ControlCaller {
  return (caller.kind === 'key' || caller.kind === 'console') && caller.roles.some((role) => roles.includes(role));
}

function actorOf(caller: Caller): Actor {
  switch (caller.kind) {
    case 'student':
      return { kind: 'student', id: caller.studentId };
    case 'key':
      return { kind: caller.roles[0] ?? 'operator', id: caller.keyId };
    case 'console':
      return { kind: caller.roles[0] ?? 'operator', id: 'console' };
    case 'anonymous':
      return { kind: 'system', id: 'anonymous' };
  }
}

/** What the caller's commands carry into the log. */
function commandOf(caller: ControlCaller | StudentCaller): CommandContext {
  return { tenantId: caller.tenantId, actor: actorOf(caller) };
}

async function isOwnSession(ctx: Context, caller: StudentCaller, sessionId: SessionId): Promise<boolean> {
  if (caller.scope === 'session') return caller.sessionId === sessionId;
  const session = await ctx.app.sessions.find(caller.tenantId, sessionId);
  return session !== null && session.studentId === caller.studentId;
}

export const asPublic = limited.meta({ policy: { plane: 'public' } });

/** Only for requests that come from this machine and through no proxy. */
export const asLocal = limited.meta({ policy: { plane: 'loopback' } }).use(({ ctx, next }) => {
  if (!ctx.local) throw failWith('forbidden', 'only on the engine machine itself: elsewhere, sign in with an API key');
  return next();
});

/** The control plane: an API key or the console, with one of these roles. */
export function asRole(...roles: readonly [Role, ...Role[]]) {
  return limited.meta({ policy: { plane: 'control', roles } }).use(({ ctx, next }) => {
    if (!mayControl(ctx.caller, roles)) throw turnAway(ctx.caller);
    return next({ ctx: { caller: ctx.caller, command: commandOf(ctx.caller) } });
  });
}

const OfSession = z.object({ sessionId: SessionId });

/** The data plane: an engine token that covers the session named in the input. */
export const asStudent = limited
  .meta({ policy: { plane: 'data' } })
  .use(({ ctx, next }) => {
    if (ctx.caller.kind !== 'student') throw turnAway(ctx.caller);
    return next({ ctx: { caller: ctx.caller, command: commandOf(ctx.caller) } });
  })
  .input(OfSession)
  .use(async ({ ctx, input, next }) => {
    if (!(await isOwnSession(ctx, ctx.caller, input.sessionId))) throw failWith('forbidden', 'this token is for another session');
    return next();
  });

/** A session's own student, or one of these roles. */
export function asStudentOrRole(...roles: readonly [Role, ...Role[]]) {
  return limited
    .meta({ policy: { plane: 'either', roles } })
    .input(OfSession)
    .use(async ({ ctx, input, next }) => {
      const caller = await studentOrRole(ctx, roles, input.sessionId);
      return next({ ctx: { caller, command: commandOf(caller) } });
    });
}

async function studentOrRole(ctx: Context, roles: readonly Role[], sessionId: SessionId): Promise<ControlCaller | StudentCaller> {
  const { caller } = ctx;
  if (mayControl(caller, roles)) return caller;
  if (caller.kind !== 'student') throw turnAway(caller);
  if (!(await isOwnSession(ctx, caller, sessionId))) throw failWith('forbidden', 'this token is for another session');
  return caller;
}
